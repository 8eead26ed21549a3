"""The table ``build``: read, checked, and later wins."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

import pytest

from aipipe_build.config import BuildConfig, load_config
from aipipe_core.errors import RequestError

if TYPE_CHECKING:
    from pathlib import Path


def config(folder: Path, text: str = "", **environ: str) -> BuildConfig:
    if text:
        (folder / "aipipe.toml").write_text(text)
    return load_config(folder, environ=environ, flags={})


def test_without_a_file_there_are_defaults(tmp_path: Path) -> None:
    found = config(tmp_path)
    assert (found.max_size, found.replay, found.severity) == (500_000_000, 20, "high")
    assert (found.smoke, found.scanners, found.ignore) == ((), ("auto",), ())


def test_later_wins(tmp_path: Path) -> None:
    (tmp_path / "aipipe.toml").write_text('[build]\nsmoke = "a"\nreplay = 3\nmax_size = "1GiB"\n')
    environ = {"AIPIPE_BUILD_REPLAY": "4", "AIPIPE_BUILD_SEVERITY": "low"}
    found = load_config(tmp_path, environ=environ, flags={"severity": "critical", "replay": None})
    assert found.smoke == ("sh", "-c", "a")
    assert (found.replay, found.severity, found.max_size) == (4, "critical", 2**30)


def test_a_smoke_command_may_be_words(tmp_path: Path) -> None:
    assert config(tmp_path, '[build]\nsmoke = ["a", "b c"]\n').smoke == ("a", "b c")


@pytest.mark.parametrize(
    ("text", "slug"),
    [
        ('[build]\nsmok = "a"\n', "unknown-setting"),
        ("[build]\nsmoke = 3\n", "wrong-setting"),
        ('[build]\nmax_size = "much"\n', "wrong-setting"),
        ('[build]\nseverity = "bad"\n', "wrong-setting"),
        ("[build]\nreplay = -1\n", "wrong-setting"),
        ("[build]\nignore = 3\n", "wrong-setting"),
        ('[[build.ignore]]\nreason = "r"\nuntil = 2030-01-01\n', "wrong-setting"),
        ('[[build.ignore]]\nid = "A"\nuntil = 2030-01-01\n', "wrong-setting"),
        ('[[build.ignore]]\nid = "A"\nreason = "r"\n', "wrong-setting"),
        ('[[build.ignore]]\nid = "A"\nreason = "r"\nuntil = "soon"\n', "wrong-setting"),
        (
            '[[build.ignore]]\nid = "A"\nreason = "r"\nuntil = 2030-01-01\nfor = 1\n',
            "wrong-setting",
        ),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, text: str, slug: str) -> None:
    with pytest.raises(RequestError) as caught:
        config(tmp_path, text)
    assert caught.value.slug == slug


def test_ignored_advisories_have_a_reason_and_an_end(tmp_path: Path) -> None:
    text = '[[build.ignore]]\nid = "A"\nreason = "r"\nuntil = "2030-01-31"\npackage = "p"\n'
    (entry,) = config(tmp_path, text).ignore
    assert (entry.advisory, entry.until, entry.package) == ("A", dt.date(2030, 1, 31), "p")


def test_the_settings_of_others_do_not_mind_the_table(tmp_path: Path) -> None:
    from aipipe_core.config import load

    (tmp_path / "aipipe.toml").write_text('[build]\nsmoke = "a"\n')
    environ = {"AIPIPE_BUILD_SMOKE": "a", "AIPIPE_BUILD_MAX_SIZE": "1"}
    assert load(tmp_path, environ=environ, flags={}).budget == 60.0
