from __future__ import annotations

from pathlib import Path

import pytest

from aipipe_core.sandbox import policy_for, scrub_environment

PRIVATE = Path("/private")


@pytest.mark.parametrize(
    "name",
    [
        "AWS_SECRET_ACCESS_KEY",
        "OPENAI_API_KEY",
        "GITHUB_TOKEN",
        "ACTIONS_RUNTIME_TOKEN",
        "PGPASSWORD",
        "DATABASE_URL",
        "SSH_AUTH_SOCK",
        "HTTPS_PROXY",
        "PYTHON_API_TOKEN",
        "PYTHONSTARTUP",
        "LC_SECRET",
        "SOME_HARMLESS_NAME",
    ],
)
def test_what_is_not_known_to_be_harmless_is_dropped(name: str) -> None:
    assert name not in scrub_environment({name: "x"}, private=PRIVATE)


@pytest.mark.parametrize(
    "name", ["PATH", "LANG", "LC_ALL", "TZ", "PYTHONPATH", "PYTHONHASHSEED", "VIRTUAL_ENV", "CI"]
)
def test_what_tests_need_is_kept(name: str) -> None:
    assert scrub_environment({name: "x"}, private=PRIVATE)[name] == "x"


def test_a_home_and_a_temporary_folder_are_its_own() -> None:
    kept = scrub_environment({"HOME": "/root", "TMPDIR": "/tmp"}, private=PRIVATE)
    assert kept["HOME"] == "/private/home"
    assert kept["TMPDIR"] == kept["TMP"] == kept["TEMP"] == "/private/tmp"
    assert kept["XDG_CONFIG_HOME"] == "/private/home/.config"


def test_a_value_with_a_password_in_a_url_is_dropped() -> None:
    kept = scrub_environment({"PYTHONX": "https://me:hunter2@host/"}, private=PRIVATE)
    assert "PYTHONX" not in kept


def test_keeping_takes_names_and_patterns() -> None:
    environ = {"DJANGO_DEBUG": "1", "DJANGO_SECRET_KEY": "x", "MY_TOKEN": "y"}
    kept = scrub_environment(environ, private=PRIVATE, keep=["DJANGO_*", "MY_TOKEN"])
    assert "DJANGO_DEBUG" in kept
    assert "DJANGO_SECRET_KEY" not in kept  # a pattern does not reach secrets
    assert kept["MY_TOKEN"] == "y"  # its exact name does


def test_the_usual_policy_makes_its_folders_and_hides_the_home_s_secrets(tmp_path: Path) -> None:
    home = tmp_path / "home"
    for name in (
        ".ssh",
        ".aws",
        ".config",
        ".unheard-of",
        ".local/share/keyrings",
        ".pyenv",
        "code",
    ):
        (home / name).mkdir(parents=True)
    (home / ".netrc").touch()
    policy = policy_for(tmp_path / "private", {"HOME": str(home), "A_KEY": "x"})
    hidden = {str(p.relative_to(home)) for p in policy.hidden if p.is_relative_to(home)}
    assert hidden == {".ssh", ".aws", ".config", ".unheard-of", ".netrc", ".local/share/keyrings"}
    assert "A_KEY" not in policy.environment
    assert (tmp_path / "private" / "tmp").is_dir()


def test_files_that_variables_name_are_hidden_wherever_they_lie(tmp_path: Path) -> None:
    secret = tmp_path / "service-account.json"
    secret.touch()
    environ = {"HOME": str(tmp_path / "none"), "GOOGLE_APPLICATION_CREDENTIALS": str(secret)}
    assert secret in policy_for(tmp_path / "private", environ).hidden


def test_a_project_that_is_used_as_home_is_not_hidden_from_itself(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".github").mkdir()
    policy = policy_for(tmp_path / "private", {"HOME": str(tmp_path)})
    assert not [path for path in policy.hidden if path.is_relative_to(tmp_path)]
