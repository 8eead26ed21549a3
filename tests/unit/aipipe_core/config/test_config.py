"""Settings from file, environment and flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe_core.config import Settings, keys, load
from aipipe_core.config.settings import as_markdown
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path


def read(
    root: Path, *, environ: dict[str, str] | None = None, flags: dict[str, object] | None = None
) -> Settings:
    return load(root, environ=environ or {}, flags=flags or {})


def refused(
    root: Path, *, environ: dict[str, str] | None = None, flags: dict[str, object] | None = None
) -> RequestError:
    with pytest.raises(RequestError) as caught:
        read(root, environ=environ, flags=flags)
    assert "\n" not in str(caught.value)
    return caught.value


def test_without_any_source_the_defaults_hold(tmp_path: Path) -> None:
    settings = read(tmp_path)
    assert settings == Settings()
    assert (settings.engine, settings.budget, settings.store.url) == (("auto",), 60.0, "")
    assert str(settings.source("budget")) == "default"


def test_flag_beats_environment_beats_file(tmp_path: Path) -> None:
    (tmp_path / "aipipe.toml").write_text("budget = 1\nflaky_reruns = 1\nsandbox = 'off'\n")
    environ = {"AIPIPE_BUDGET": "2", "AIPIPE_FLAKY_RERUNS": "2"}
    settings = read(tmp_path, environ=environ, flags={"budget": 3, "select": None})
    assert (settings.budget, settings.flaky_reruns, settings.sandbox) == (3, 2, "off")
    assert str(settings.source("budget")) == "flag --budget"
    assert str(settings.source("flaky_reruns")) == "environment AIPIPE_FLAKY_RERUNS"
    assert str(settings.source("sandbox")) == "file aipipe.toml"
    assert str(settings.source("select")) == "default"


def test_pyproject_holds_settings_and_tables(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.other]\nx = 1\n[tool.aipipe]\nengine = ['local', 'llm']\nwrite = 'tests/new'\n"
        "fail_under = 90\nexclude = ['gen/**']\nbehavior = false\n"
        "[tool.aipipe.store]\nurl = 'sqlite://'\n"
    )
    settings = read(tmp_path)
    assert settings.engine == ("local", "llm")
    assert settings.write == "tests/new"
    assert settings.fail_under == 90
    assert settings.exclude == ("gen/**",)
    assert settings.behavior is False
    assert settings.store.url == "sqlite://"
    assert str(settings.source("store.url")) == "file pyproject.toml"


def test_a_pyproject_without_our_table_leaves_room_for_our_file(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    (tmp_path / "aipipe.toml").write_text("budget = 5\n")
    assert read(tmp_path).budget == 5


def test_both_files_at_once_are_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.aipipe]\n")
    (tmp_path / "aipipe.toml").write_text("")
    assert refused(tmp_path).slug == "config-twice"


@pytest.mark.parametrize(
    ("text", "slug", "said"),
    [
        ("buget = 1", "unknown-setting", "'budget'"),
        ("fail-under = 1", "unknown-setting", "'fail_under'"),
        ("[stroe]\nurl = ''", "unknown-setting", "'store'"),
        ("[store]\nulr = ''", "unknown-setting", "'store.url'"),
        ("store = 'sqlite://'", "wrong-setting", "store must be a table"),
        ("budget = 'much'", "wrong-setting", "budget must be a number of at least 0"),
        ("budget = -1", "wrong-setting", "budget"),
        ("budget = true", "wrong-setting", "budget"),
        ("budget = nan", "wrong-setting", "budget"),
        ("budget = inf", "wrong-setting", "budget"),
        ("budget = []", "wrong-setting", "budget"),
        ("fail_under = 101", "wrong-setting", "from 0 to 100"),
        ("flaky_reruns = 1.5", "wrong-setting", "whole number"),
        ("flaky_reruns = '1e3'", "wrong-setting", "whole number"),
        ("sandbox = 'on'", "wrong-setting", "auto, require, off"),
        ("sandbox = 1", "wrong-setting", "sandbox"),
        ("behavior = 'maybe'", "wrong-setting", "true or false"),
        ("behavior = 1", "wrong-setting", "true or false"),
        ("engine = 1", "wrong-setting", "engine"),
        ("engine = [1]", "wrong-setting", "engine"),
        ("engine = ['']", "wrong-setting", "engine"),
        ("exclude = {a = 1}", "wrong-setting", "exclude"),
        ("write = ''", "wrong-setting", "write"),
        ("write = 1", "wrong-setting", "write"),
        ("[risk]\nmedium = 0.9\nhigh = 0.1", "wrong-setting", "risk.medium"),
        ("budget = \nx = 1", "config-not-toml", "line 1"),
        ("budget = 1\nbudget = 2\n", "config-not-toml", "line 2"),
    ],
)
def test_a_wrong_file_is_refused_in_one_line(
    tmp_path: Path, text: str, slug: str, said: str
) -> None:
    (tmp_path / "aipipe.toml").write_text(text)
    error = refused(tmp_path)
    assert (error.slug, error.exit_code) == (slug, 2)
    assert said in str(error)
    assert "aipipe.toml" in str(error)


def test_a_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    (tmp_path / "aipipe.toml").write_bytes(b"write = '\xe9'\n")
    assert refused(tmp_path).slug == "config-unreadable"


def test_a_folder_in_the_files_place_is_refused(tmp_path: Path) -> None:
    (tmp_path / "aipipe.toml").mkdir()
    assert refused(tmp_path).slug == "config-unreadable"


def test_a_table_of_ours_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool]\naipipe = 3\n")
    assert refused(tmp_path).slug == "wrong-setting"


def test_every_kind_of_value_can_come_from_the_environment(tmp_path: Path) -> None:
    environ = {
        "AIPIPE_ENGINE": "local, llm",
        "AIPIPE_BUDGET": "1.5",
        "AIPIPE_WRITE": "yes",
        "AIPIPE_SELECT": "off",
        "AIPIPE_FLAKY_RERUNS": "7",
        "AIPIPE_STORE_URL": "sqlite://",
        "AIPIPE_EXCLUDE": "",
    }
    settings = read(tmp_path, environ=environ)
    assert (settings.engine, settings.budget, settings.write) == (("local", "llm"), 1.5, True)
    assert (settings.select, settings.flaky_reruns, settings.exclude) == (False, 7, ())
    assert settings.store.url == "sqlite://"


def test_a_slip_in_a_variable_is_told_and_a_strangers_variable_is_not(tmp_path: Path) -> None:
    error = refused(tmp_path, environ={"AIPIPE_BUGDET": "1"})
    assert error.slug == "unknown-setting"
    assert "AIPIPE_BUDGET" in error.hint
    assert read(tmp_path, environ={"AIPIPE_REQUIRE_DOCKER": "1"}) == Settings()


def test_a_wrong_value_is_told_in_its_layers_own_spelling(tmp_path: Path) -> None:
    environment = refused(tmp_path, environ={"AIPIPE_FAIL_UNDER": "x"})
    assert "AIPIPE_FAIL_UNDER" in str(environment)
    assert "--fail-under" in str(refused(tmp_path, flags={"fail_under": "x"}))
    assert "budget" in refused(tmp_path, flags={"buget": 1}).hint


def test_every_default_is_a_value_that_its_kind_would_take() -> None:
    found = list(keys())
    assert len({key.environment for key in found}) == len(found)
    for key in found:
        assert key.doc.endswith(".")
        if key.default is not None:
            assert key.kind.read(key.default) == key.default, key.name
        assert Settings().value(key.name) == key.default


def test_the_documentation_has_a_row_for_every_setting() -> None:
    text = as_markdown()
    for key in keys():
        assert f"| `{key.name}` |" in text
        assert f"`{key.environment}`" in text
