"""What the CI jobs compare: their own shell, on clones as a forge hands them out."""

from __future__ import annotations

import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from aipipe.cli import main
from aipipe.init import look
from aipipe.init.write import contents
from aipipe_core.errors import ExitCode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.conftest import Project

TOP = Path(__file__).parents[3]
ZEROS = "0" * 40


@dataclass
class Forge:
    """A repository that is pushed to, and what a runner clones of it."""

    origin: Project
    runner: Path

    def clone(self, ref: str) -> None:
        """Clone as a runner does: every branch, no commit that none of them reaches."""
        self.origin.git("clone", "-q", f"file://{self.origin.root}", str(self.runner))
        self.origin.git("checkout", "-q", "--detach", ref, cwd=self.runner)

    def base(self, script: str, **environment: str) -> str:
        """Return the commit with which ``script`` compares HEAD."""
        kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
        done = subprocess.run(
            ["bash", "-eo", "pipefail", "-c", script],
            cwd=self.runner,
            env={**kept, "GIT_CONFIG_GLOBAL": os.devnull, **environment},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        spec = done.stdout.strip().removeprefix("spec=")
        assert spec.endswith("..HEAD"), done.stdout
        assert main(["analyze", spec]) == ExitCode.DONE
        return spec.removesuffix("..HEAD")


@pytest.fixture
def forge(project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Forge:
    project.git("config", "uploadpack.allowAnySHA1InWant", "true")
    runner = tmp_path / "runner"
    runner.mkdir()
    monkeypatch.chdir(runner)
    return Forge(project, runner)


def scripts() -> Iterator[tuple[str, str]]:
    """Yield who compares, and its shell, which tells the spec in the end."""
    action = yaml.safe_load((TOP / "action.yml").read_text())
    (step,) = [one for one in action["runs"]["steps"] if one.get("id") == "test"]
    yield "action", f'SPEC=\n{step["run"].split("read -r")[0]}echo "$SPEC"'
    _, job = yaml.safe_load_all((TOP / "templates/ai-diff/template.yml").read_text())
    (shell,) = [one for one in job["ai-diff"]["script"] if "SPEC=" in one]
    yield "component", f'{shell}\necho "$SPEC"'
    texts: dict[str, Any] = {
        planned.template: yaml.safe_load(text) for planned, text in contents(look(TOP), "both")
    }
    (step,) = [
        one for one in texts["github.yml"]["jobs"]["analyse"]["steps"] if one.get("id") == "change"
    ]
    yield "workflow", f"GITHUB_OUTPUT=/dev/stdout\n{step['run']}"
    yield "pipeline", f'{"".join(texts["gitlab.yml"][".change"])}\necho "$SPEC"'


SCRIPTS = dict(scripts())
every = pytest.mark.parametrize("script", SCRIPTS.values(), ids=SCRIPTS)


def pushed(before: str) -> dict[str, str]:
    """Return what both forges say of a push."""
    return {
        "BEFORE": before,
        "BRANCH": "main",
        "CI_COMMIT_BEFORE_SHA": before,
        "CI_DEFAULT_BRANCH": "main",
    }


@every
def test_a_push_is_compared_with_what_was_there(forge: Forge, script: str) -> None:
    before = forge.origin.commit(a="x = 1\n")
    forge.origin.commit(a="x = 2\n")
    forge.origin.commit(a="x = 3\n")
    forge.clone("origin/main")
    assert forge.base(script, **pushed(before)) == before


@every
def test_a_new_branch_is_compared_with_where_it_left_the_default_one(
    forge: Forge, script: str
) -> None:
    left = forge.origin.commit(a="x = 1\n")
    forge.origin.git("switch", "-q", "-c", "new")
    forge.origin.commit(b="x = 1\n")
    forge.origin.commit(b="x = 2\n")
    forge.origin.git("switch", "-q", "main")
    forge.origin.commit(c="x = 1\n")
    forge.clone("origin/new")
    assert forge.base(script, **pushed(ZEROS)) == left


@every
def test_after_a_forced_push_both_tips_are_compared_from_where_they_parted(
    forge: Forge, script: str
) -> None:
    parted = forge.origin.commit(a="x = 1\n")
    old = forge.origin.commit(a="x = 2\n")
    forge.origin.git("reset", "-q", "--hard", parted)
    forge.origin.commit(a="x = 3\n")
    forge.origin.commit(a="x = 4\n")
    forge.clone("origin/main")
    assert forge.base(script, **pushed(old)) == parted


@every
def test_a_forced_push_whose_old_tip_is_gone_is_at_least_its_last_commit(
    forge: Forge, script: str
) -> None:
    forge.origin.commit(a="x = 1\n")
    forge.origin.commit(a="x = 2\n")
    forge.clone("origin/main")
    assert forge.base(script, **pushed("d" * 40)) == "HEAD~1"


@every
def test_a_branch_that_went_back_is_its_last_commit(forge: Forge, script: str) -> None:
    forge.origin.commit(a="x = 1\n")
    kept = forge.origin.commit(a="x = 2\n")
    old = forge.origin.commit(a="x = 3\n")
    forge.origin.git("reset", "-q", "--hard", kept)
    forge.clone("origin/main")
    assert forge.base(script, **pushed(old)) == "HEAD~1"


@every
def test_the_first_commit_of_all_is_compared_with_nothing(forge: Forge, script: str) -> None:
    forge.origin.commit(a="x = 1\n")
    forge.clone("origin/main")
    assert forge.base(script, **pushed(ZEROS)) == "HEAD~1"


@every
def test_a_run_that_nobody_pushed_is_the_last_commit(forge: Forge, script: str) -> None:
    forge.origin.commit(a="x = 1\n")
    forge.origin.commit(a="x = 2\n")
    forge.clone("origin/main")
    assert forge.base(script, BRANCH="main", CI_DEFAULT_BRANCH="main") == "HEAD~1"


@every
def test_a_request_is_compared_with_where_it_left_though_it_is_merged_for_the_run(
    forge: Forge, script: str
) -> None:
    left = forge.origin.commit(a="x = 1\n")
    forge.origin.git("switch", "-q", "-c", "new")
    forge.origin.commit(b="x = 1\n")
    forge.origin.git("switch", "-q", "main")
    target = forge.origin.commit(c="x = 1\n")
    forge.origin.git("switch", "-q", "-c", "merged")
    forge.origin.git("merge", "-q", "--no-edit", "new")
    forge.clone("origin/merged")
    request = {
        "BEFORE": target,
        "BRANCH": "main",
        "CI_MERGE_REQUEST_DIFF_BASE_SHA": left,
        "CI_MERGE_REQUEST_TARGET_BRANCH_SHA": target,
        "CI_DEFAULT_BRANCH": "main",
    }
    assert forge.base(script, **request) == target
