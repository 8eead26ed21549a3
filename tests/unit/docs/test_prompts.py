"""The blueprint lists every prompt that there is, with its tier and who really asks it."""

from __future__ import annotations

import re
from pathlib import Path

TOP = Path(__file__).parents[3]
PROMPTS = TOP / "aipipe_core" / "llm" / "prompts"
ROW = re.compile(r"^\| `([a-z]+)\.v(\d+)` \| (\w+) \| [^|]+ \| ([^|]+) \|$", re.MULTILINE)
ROOMS = ("aipipe", "aipipe_build", "aipipe_deploy", "pytest_aipipe")


def listed() -> dict[str, tuple[str, str, str]]:
    text = (TOP / "docs" / "blueprint.md").read_text(encoding="utf-8")
    return {name: (version, tier, who) for name, version, tier, who in ROW.findall(text)}


def test_every_prompt_is_listed_with_its_version_and_tier() -> None:
    found = {}
    for path in PROMPTS.glob("*.md"):
        name, version = path.name.split(".")[:2]
        tier = re.search(r"^tier: (\w+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
        assert tier
        found[name] = (version.removeprefix("v"), tier[1])
    assert {name: row[:2] for name, row in listed().items()} == found


def test_a_prompt_is_said_to_be_asked_exactly_when_the_code_asks_it() -> None:
    code = "".join(
        path.read_text(encoding="utf-8") for room in ROOMS for path in (TOP / room).rglob("*.py")
    )
    asked = set(re.findall(r"""\bprompt\(["'](\w+)["']""", code))
    assert {name for name, row in listed().items() if not row[2].startswith("nobody")} == asked
