"""`aipipe init` in real repositories: what is written parses, fits, and overwrites nothing."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from aipipe.cli import main
from aipipe.doctor import examine
from aipipe.init import look
from aipipe.init.write import contents
from aipipe.pipeline.load import load_pipeline
from aipipe_core.errors import ExitCode

if TYPE_CHECKING:
    from tests.integration.conftest import Project

TOP = Path(__file__).parents[3]
PYPROJECT = """\
[project]
name = "engine"
version = "1"
requires-python = ">=3.12"
[project.optional-dependencies]
test = ["pytest"]
"""


@pytest.fixture
def here(project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    project.write("pyproject.toml", PYPROJECT)
    project.write("Dockerfile", "FROM scratch\n")
    project.write("requirements-dev.txt", "pytest\n")
    project.commit()
    monkeypatch.chdir(project.root)
    return project.root


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_what_a_repository_holds_is_seen(here: Path) -> None:
    found = look(here)
    assert (found.name, found.branch, found.python) == ("engine", "main", "3.12")
    assert found.install == ("-r requirements-dev.txt", "-e .[test]")
    assert found.dockerfile == "Dockerfile"


@pytest.mark.parametrize(
    ("files", "setup", "install"),
    [
        (
            ["default", "dev", "docs", "test"],
            True,
            ("-r requirements/test.txt", "-r requirements/dev.txt", "-e ."),
        ),
        (["base", "dev", "main"], False, ("-r requirements/dev.txt", "-r requirements/base.txt")),
        (["docs"], True, ("-e .",)),
    ],
)
def test_a_folder_of_requirements_gives_those_of_the_tests(
    project: Project, files: list[str], setup: bool, install: tuple[str, ...]
) -> None:
    for name in files:
        project.write(f"requirements/{name}.txt", "")
    if setup:
        project.write("setup.py", "")
    project.commit()
    assert look(project.root).install == install


def test_a_gitlab_remote_gets_gitlab_ci(here: Path, project: Project) -> None:
    project.git("remote", "add", "origin", "https://gitlab.example.org/ada/engine.git")
    assert main(["init"]) == ExitCode.DONE
    jobs = load(here / ".gitlab-ci.yml")
    assert set(jobs) >= {"analyse", "test", "build", "deploy"}
    assert not (here / ".github").exists()


@pytest.mark.parametrize("branch", ["main", "release/2"])
def test_an_ordinary_clone_knows_its_branch_by_name(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, branch: str
) -> None:
    project.commit()
    project.git("branch", "-M", branch)
    project.git("clone", "-q", str(project.root), str(tmp_path / "clone"))
    monkeypatch.chdir(tmp_path / "clone")
    assert look(tmp_path / "clone").branch == branch
    assert main(["init", "--ci", "github"]) == ExitCode.DONE
    workflow = load(tmp_path / "clone/.github/workflows/aipipe.yml")
    assert workflow[True]["push"]["branches"] == [branch]
    (found,) = [one for one in examine(Path.cwd(), os.environ) if one.name == "repository"]
    assert found.text.endswith(f"compares with origin/{branch}")


def test_a_repository_of_one_branch_works_from_that_one(here: Path, project: Project) -> None:
    project.git("branch", "-M", "trunk")
    assert look(here).branch == "trunk"


def test_the_workflow_has_its_jobs_and_hands_the_level_on(here: Path) -> None:
    assert main(["init"]) == ExitCode.DONE
    workflow = load(here / ".github" / "workflows" / "aipipe.yml")
    assert list(workflow["jobs"]) == ["analyse", "test", "build", "deploy"]
    assert "risk_level" in workflow["jobs"]["analyse"]["outputs"]
    installs = [step.get("run", "") for step in workflow["jobs"]["test"]["steps"]]
    assert any("-r requirements-dev.txt -e .[test]" in one for one in installs)


def test_without_an_image_there_is_no_build(here: Path) -> None:
    (here / "Dockerfile").unlink()
    assert main(["init", "--ci", "both"]) == ExitCode.DONE
    assert list(load(here / "pipeline.yaml")["stages"]) == ["tests"]
    assert "build" not in load(here / ".gitlab-ci.yml")
    assert list(load(here / ".github/workflows/aipipe.yml")["jobs"]) == ["analyse", "test"]


@pytest.mark.parametrize(
    ("image", "releases", "names"),
    [
        (False, False, ["tests"]),
        (True, False, ["tests", "image"]),
        (True, True, ["tests", "image", "release"]),
    ],
)
def test_the_pipeline_has_a_stage_for_what_is_there(
    here: Path, image: bool, releases: bool, names: list[str]
) -> None:
    if not image:
        (here / "Dockerfile").unlink()
    if releases:
        (here / "aipipe.toml").write_text('[deploy.services.web]\nimage = "engine:latest"\n')
    assert main(["init"]) == ExitCode.DONE
    stages = load_pipeline(here / "pipeline.yaml").stages
    assert [stage.name for stage in stages] == names


@pytest.mark.parametrize("releases", [True, False])
def test_nothing_is_released_by_ci_before_somebody_said_what(here: Path, releases: bool) -> None:
    if releases:
        (here / "aipipe.toml").write_text('[deploy.services.web]\nimage = "engine:latest"\n')
    assert main(["init", "--ci", "both"]) == ExitCode.DONE
    github = load(here / ".github/workflows/aipipe.yml")["jobs"]["deploy"]["if"]
    gitlab = load(here / ".gitlab-ci.yml")["deploy"]["rules"][0]["if"]
    assert ("AIPIPE_DEPLOY" in github, "AIPIPE_DEPLOY" in gitlab) == (not releases, not releases)


@pytest.mark.parametrize(
    ("text", "context"),
    [
        ("FROM x\nCOPY requirements.txt /app/\nCOPY . /app\n", "service"),
        ("FROM x\nCOPY --from=x /a /b\nCOPY pyproject.toml ./\n", "."),
        ("FROM x\nCOPY nowhere.txt ./\n", "service"),
        ("FROM scratch\n", "service"),
        ('FROM x\nCOPY ["pyproject.toml", "/"]\nCOPY $FILE *.py /x/\n', "service"),
    ],
)
def test_an_image_in_a_folder_is_built_from_where_it_copies(
    here: Path, text: str, context: str
) -> None:
    (here / "Dockerfile").unlink()
    (here / "service").mkdir()
    (here / "service" / "Dockerfile").write_text(text)
    (here / "service" / "requirements.txt").write_text("")
    found = look(here)
    assert (found.dockerfile, found.context) == ("service/Dockerfile", context)
    assert main(["init"]) == ExitCode.DONE
    image = load(here / "pipeline.yaml")["stages"]["image"]
    assert image["arguments"][-1] == context


def test_an_image_is_named_as_docker_takes_it(here: Path) -> None:
    (here / "pyproject.toml").write_text('[project]\nname = "My_Shop.API"\n')
    assert look(here).image == "my-shop-api"
    assert main(["init", "--ci", "both"]) == ExitCode.DONE
    for path in ("pipeline.yaml", ".gitlab-ci.yml", ".github/workflows/aipipe.yml"):
        assert "my-shop-api:" in (here / path).read_text()


def test_a_file_that_is_there_is_left_and_the_second_time_changes_nothing(
    here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "pipeline.yaml").write_text("mine\n")
    assert main(["init"]) == ExitCode.DONE
    first = capsys.readouterr().out
    assert "pipeline.yaml: left as it is; " in first
    assert (here / "pipeline.yaml").read_text() == "mine\n"
    assert main(["init"]) == ExitCode.DONE
    second = capsys.readouterr().out
    assert ".pre-commit-config.yaml: already so" in second
    assert "written" not in second


def test_a_commit_shows_the_summary_of_the_hook(here: Path) -> None:
    assert main(["init"]) == ExitCode.DONE
    (hook,) = load(here / ".pre-commit-config.yaml")["repos"][0]["hooks"]
    (offered,) = load(TOP / ".pre-commit-hooks.yaml")
    assert hook["verbose"] is offered["verbose"] is True
    assert hook["entry"] == offered["entry"]


def test_a_file_that_git_ignores_is_said_with_what_to_do(
    here: Path, project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / ".gitignore").write_text(".*\n")
    path = ".github/workflows/aipipe.yml"
    hint = f"git ignores it: git add --force {path}"
    for outcome in ("written", "already so"):
        assert main(["init"]) == ExitCode.DONE
        said = capsys.readouterr().out
        assert f"{path}: {outcome}; {hint}\n" in said
        assert f"pipeline.yaml: {outcome}\n" in said
    project.git("add", "--force", path)
    assert main(["init"]) == ExitCode.DONE
    assert hint not in capsys.readouterr().out


def test_gitlab_runs_its_jobs_for_merge_requests_and_never_twice(here: Path) -> None:
    assert main(["init", "--ci", "gitlab"]) == ExitCode.DONE
    jobs = load(here / ".gitlab-ci.yml")
    request, branch_with_request, branch = jobs["workflow"]["rules"]
    assert request == {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}
    assert branch_with_request["when"] == "never"
    assert branch == {"if": "$CI_COMMIT_BRANCH"}
    assert "rules" not in jobs["test"]


def test_gitlab_gets_the_artefacts_that_it_shows_beside_lines(here: Path) -> None:
    assert main(["init", "--ci", "gitlab"]) == ExitCode.DONE
    job = load(here / ".gitlab-ci.yml")["test"]
    _, component = yaml.safe_load_all((TOP / "templates/ai-diff/template.yml").read_text())
    for one in (job, component["ai-diff"]):
        reports = one["artifacts"]["reports"]
        assert reports["codequality"] == "code-quality.json"
        assert reports["coverage_report"] == {
            "coverage_format": "cobertura",
            "path": "coverage.xml",
        }
        tests = next(line for line in one["script"] if "--ai-report" in line)
        assert "--ai-report=gitlab:code-quality.json" in tests
        assert "--ai-report=cobertura:coverage.xml" in tests


def test_printing_writes_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(here.rglob("*"))
    assert main(["init", "--print", "--ci", "both"]) == ExitCode.DONE
    assert "# --- .gitlab-ci.yml" in capsys.readouterr().out
    assert sorted(here.rglob("*")) == before


@pytest.mark.parametrize("content", ["", "[project\n", "\x00", "[project]\nname = 3\n"])
def test_a_broken_pyproject_counts_as_none(here: Path, content: str) -> None:
    (here / "pyproject.toml").write_text(content)
    found = look(here)
    assert found.name == here.name
    assert found.python == "3.11"


def test_every_template_is_whole_and_ends_in_one_line_break(here: Path) -> None:
    for planned, text in contents(look(here), "both"):
        assert text.endswith("\n"), planned.path
        assert not text.endswith("\n\n"), planned.path
        assert "<<" not in text, planned.path
        assert "{%" not in text, planned.path


def test_the_action_and_the_component_parse() -> None:
    action = load(TOP / "action.yml")
    assert {step["shell"] for step in action["runs"]["steps"]} == {"bash"}
    spec, job = yaml.safe_load_all((TOP / "templates/ai-diff/template.yml").read_text())
    assert set(spec["spec"]["inputs"]) >= {"stage", "install"}
    assert job["ai-diff"]["rules"][0] == {"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}


def _run(command: list[str], folder: Path, **more: str) -> subprocess.CompletedProcess[str]:
    strange = ("GIT_", "PYTEST_", "COV_", "AIPIPE_")
    kept = {key: value for key, value in os.environ.items() if not key.startswith(strange)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{kept['PATH']}"
    environ = {**kept, "PATH": path, "PYTHONPATH": str(TOP), "GIT_CONFIG_GLOBAL": os.devnull}
    return subprocess.run(
        command,
        cwd=folder,
        env={**environ, **more},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


@pytest.mark.slow
def test_the_hook_runs_in_the_real_pre_commit(project: Project, tmp_path: Path) -> None:
    project.write("price.py", "def price(n):\n    return 3 * n\n")
    project.write(
        "tests/test_price.py",
        "from price import price\n\ndef test_price():\n    assert price(2) == 6\n",
    )
    project.write("conftest.py", "")
    project.commit()
    project.write(
        "price.py", "def price(n):\n    if n > 9:\n        return 2 * n\n    return 3 * n\n"
    )
    project.git("add", "price.py")
    hooks = tmp_path / "hooks"
    hooks.mkdir()
    shutil.copy(TOP / ".pre-commit-hooks.yaml", hooks)
    for arguments in (["init", "-q"], ["add", "."]):
        assert _run(["git", *arguments], hooks).returncode == 0
    who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
    assert _run(["git", *who, "commit", "-q", "-m", "hooks"], hooks).returncode == 0
    command = [sys.executable, "-m", "pre_commit", "try-repo", str(hooks), "ai-diff", "--verbose"]
    done = _run(command, project.root, PRE_COMMIT_HOME=str(tmp_path / "cache"))
    assert "tests for what is staged" in done.stdout, done.stdout + done.stderr
    assert "Passed" in done.stdout, done.stdout + done.stderr
    assert "lines 1/2 -> 2/2" in done.stdout.replace("\n", " ") or "2/2" in done.stdout
