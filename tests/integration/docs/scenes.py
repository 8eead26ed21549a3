"""What each page's commands are executed on, where that is not the example service as it stands."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.integration.aipipe_deploy.conftest import script
from tests.integration.docs import measured, shop
from tests.unit.aipipe_build.images import layer, save

_HUNTS = tuple(f"pytest --ai-flaky-hunt{more}" for more in ("", "=5", " --ai-flaky-fix"))
# A step is given the folder and the environment of the commands.
Step = Callable[[Path, dict[str, str]], None]

DOCKERFILE = (
    'FROM python:3.11-slim\nWORKDIR /srv\nCOPY . .\nCMD ["python3", "-c", "import shop.price"]\n'
)
# The first stage hangs on something outside the repository, as on a service that is down.
PIPELINE = """version: 1
name: shop
stages:
  door:
    command: test -e ../open
    cache: false
  tests:
    uses: tests
    depends_on: door
"""
TICK = (
    '{"t": 1.0, "old": {"requests": 45, "bad": 0, "slow": {"p50": 22, "p95": 2, "p99": 0}},'
    ' "new": {"requests": 5, "bad": 0, "slow": {"p50": 2, "p95": 0, "p99": 0}}}\n'
)


def run(folder: Path, environment: dict[str, str], *words: str) -> int:
    """Run a module of ours in ``folder``; return its exit code."""
    done = subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        timeout=240,
        check=False,
    )
    return done.returncode


@dataclass(frozen=True)
class Scene:
    """``prepare`` makes the repository; ``before`` has what leads up to a command.

    ``codes`` are the exit codes of commands whose point is not 0, ``says`` what must be read in
    a command's output, ``after`` holds what they all have left, ``sets`` has variables of the environment. In a
    ``fresh`` scene each command finds the repository as it was prepared, in others as the command
    before it has left it.
    """

    prepare: Step = lambda folder, _: shop.prepare(folder)
    before: dict[str, Step] = field(default_factory=dict)
    codes: dict[str, int] = field(default_factory=dict)
    says: dict[str, str | re.Pattern[str]] = field(default_factory=dict)
    after: Step = lambda _folder, _environment: None
    sets: dict[str, str] = field(default_factory=dict)
    fresh: bool = False


def _with_catching_tests(folder: Path, environment: dict[str, str]) -> None:
    shop.prepare(folder)
    words = ("pytest", "-q", "--ai-diff", "--ai-write=tests/ai", "--ai-budget=120")
    assert run(folder, environment, *words) == 0


def _with_environment(folder: Path, _: dict[str, str]) -> None:
    shop.prepare(folder)
    measured.installed(folder.parent / "ready", "bin/.ready")


def _with_dockerfile(folder: Path, _: dict[str, str]) -> None:
    shop.prepare(folder)
    shop.write(folder, {"Dockerfile": DOCKERFILE, ".dockerignore": ".git\n.aipipe\n"})
    shop.commit(folder, "An image")


def _with_advisories(folder: Path, environment: dict[str, str]) -> None:
    """A pinned requirement, an image's archive, and advisories that concern neither."""
    _with_dockerfile(folder, environment)
    table = script("image_scan")
    (folder / "advisories").mkdir()
    for number, ecosystem in enumerate(("PyPI", "Debian:12", "Debian:13")):
        one = table.advisory(f"TEST-{number}")
        one["affected"][0]["package"]["ecosystem"] = ecosystem
        (folder / "advisories" / f"{number}.json").write_text(json.dumps(one), encoding="utf-8")
    table.zipped(folder)
    metadata = "Metadata-Version: 2.1\nName: alpha\nVersion: 2.1\n"
    where = "usr/lib/python3/dist-packages/alpha-2.1.dist-info/METADATA"
    save(folder / "image.tar", layer((where, metadata)))
    shop.write(folder, {"requirements.txt": "alpha==2.1\n"})
    settings = '[build]\nadvisories = ["advisories"]\nmax_size = "0"\nreplay = 2\n'
    shop.write(folder, {"aipipe.toml": settings})


def _with_pipeline(folder: Path, _: dict[str, str]) -> None:
    shop.prepare(folder)
    (folder.parent / "open").touch()
    shop.write(folder, {"pipeline.yaml": PIPELINE})
    shop.git(folder, "switch", "--quiet", "--create=edit")
    shop.commit(folder, "Count without the guard")


def _shut_and_opened(folder: Path, environment: dict[str, str]) -> None:
    door = folder.parent / "open"
    door.unlink()
    assert run(folder, environment, "aipipe", "run") == 1
    door.touch()


def _with_traffic(folder: Path, _: dict[str, str]) -> None:
    shop.write(folder, {"traffic.jsonl": '{"window": "w1", "dispersion": 1.0}\n' + TICK})


def _measured() -> dict[str, str | re.Pattern[str]]:
    """Return what each measurement's table must say, by its command.

    How far the tests reach and what they catch hangs on the time there is: that is not asked.
    """
    clones = "--mirrors CLONES"
    both = f"{clones} --corpus CORPUS"
    lines = {
        f"python bench/commits.py {both}": r"^seconds of generation: median \d",
        f"python bench/catch.py {both}": r"^caught [01] of 1 \(",
        f"python bench/peers.py {both} --limit 6": r"^ours +\d/3 +\d/2 ",
        "python bench/mutants.py CORPUS/dev.json --work bench-work --survivors": (
            r"^1 commits: mutants killed \d+/"
        ),
        "python bench/startup.py --runs 40": "^plugin adds, median of 1 pairs: ",
        f"python bench/risk_bench.py {clones}": "^all commits, 2 projects: mean AUC ",
        f"python bench/route_replay.py {clones} --work bench-work --json route.json": (
            r"^all +2 .* 1 of 1 \("
        ),
    }
    return {command: re.compile(line, re.MULTILINE) for command, line in lines.items()}


def _extra(brings: str) -> re.Pattern[str]:
    """Return what pip says of an extra that it knows, with a requirement that the extra brings."""
    return re.compile(rf"{brings}.*Would install pytest-aipipe-", re.DOTALL)


_ACCEPT = "pytest --ai-diff --ai-write=tests/ai --ai-behavior-accept"
_ONE = "test_price_total_raises_nothing_1"
SCENES = {
    "README.md": Scene(
        _with_environment,
        says={
            "make demo": "$ pytest --ai-diff --ai-write=tests/ai",
            "pip install pytest-aipipe": "Would install pytest-aipipe-",
            "pytest --ai-diff": "keep them with --ai-write",
            "pytest --ai-diff=HEAD~1": "2 changed files",
            "pytest --ai-diff=staged": "-> staged",
            "pytest --ai-diff --ai-write": "tests/test_price_shipping.py",
        },
    ),
    "docs/behavior.md": Scene(
        _with_catching_tests,
        codes={"pytest tests/ai/behavior": 1},
        says={
            "pytest tests/ai/behavior": "FAILED tests/ai/behavior/",
            _ACCEPT: f"tests/ai/{_ONE}.py states what head does",
            f"{_ACCEPT}={_ONE}": f"tests/ai/{_ONE}.py states what head does",
        },
        fresh=True,
    ),
    "docs/build.md": Scene(
        _with_dockerfile,
        says={
            "aipipe-build predict .": "MISS    line 3: COPY . .",
            "aipipe-build decide .": "full: ",
            "aipipe-build run -t shop/web .": "shop/web",
        },
    ),
    "docs/flaky.md": Scene(says=dict.fromkeys(_HUNTS, "0 flaky of 1 tests")),
    "docs/image.md": Scene(
        _with_advisories,
        says={
            "aipipe-build scan --requirements requirements.txt --advisories advisories/": "is open",
            "aipipe-build scan shop/web:1": "is open",
            "aipipe-build scan shop/web:1 --advisories https://api.osv.dev": "is open",
        },
    ),
    "docs/judge.md": Scene(
        _with_traffic, says={"aipipe-deploy replay traffic.jsonl --json": '"inconclusive"'}
    ),
    "docs/measuring.md": Scene(
        measured.prepare,
        says=_measured(),
        after=lambda folder, _: measured.is_measured(folder),
        sets={"OMP_NUM_THREADS": "1"},
    ),
    "docs/model.md": Scene(says={"pip install 'pytest-aipipe[llm]'": _extra("openai")}),
    "docs/pipeline.md": Scene(
        _with_pipeline,
        before={"aipipe run --resume": _shut_and_opened},
        says={
            "aipipe run --dry-run": "tests: would run",
            "aipipe run": "shop, passed",
            "aipipe run --resume": "shop, passed",
            "aipipe report": "shop, passed",
        },
    ),
    "docs/risk.md": Scene(
        lambda folder, _: shop.prepare_past(folder),
        says={
            "pip install 'pytest-aipipe[risk]'": _extra("scikit-learn"),
            "aipipe calibrate": "36 commits, 12 of",
        },
    ),
}
