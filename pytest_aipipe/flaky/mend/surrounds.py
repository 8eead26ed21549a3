"""Mends that hold something still around the test: seeds, zone, locale, folders."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_aipipe.flaky.mend.proposal import Proposal, names_of
from pytest_aipipe.flaky.mend.source import (
    Source,
    with_fixture,
    with_parameter,
    with_statements,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.mend.proposal import Scene

SEEDED = '''\
@pytest.fixture
def {name}():
    """Chance that is the same in every run."""
    state = random.getstate()
    random.seed(%d)
    yield
    random.setstate(state)
'''
NUMPY = '''\
@pytest.fixture
def {name}():
    """Chance that is the same in every run."""
    state = numpy.random.get_state()
    numpy.random.seed(%d)
    yield
    numpy.random.set_state(state)
'''
GENERATORS = '''\
@pytest.fixture
def {name}(monkeypatch):
    """Chance that is the same in every run, also where it is asked for unseeded."""
    chance = random.Random(%d)
    state = random.getstate()
    random.seed(%d)
    monkeypatch.setattr(random, "Random", functools.partial(random.Random, %d))
    monkeypatch.setattr(os, "urandom", chance.randbytes)
    monkeypatch.setattr(secrets, "randbelow", chance.randrange)
    monkeypatch.setattr(secrets, "choice", chance.choice)
    monkeypatch.setattr(secrets, "token_hex", lambda n=32: chance.randbytes(n).hex())
    monkeypatch.setattr(secrets, "token_bytes", lambda n=32: chance.randbytes(n))
    yield
    random.setstate(state)
'''
ZONE = '''\
@pytest.fixture
def {name}(monkeypatch):
    """The zone in which the expected values are meant."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()
'''

UTF8 = '''\
@pytest.fixture
def {name}():
    """Text is UTF-8 where nobody names an encoding, as the expected values have it."""
    before = locale.setlocale(locale.LC_CTYPE)
    locale.setlocale(locale.LC_CTYPE, "C.UTF-8")
    yield
    locale.setlocale(locale.LC_CTYPE, before)
'''


def seed(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Seed what the test draws from; the global state is given back."""
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    source = Source.of(scene.read(path))
    if source.function(names) is None:
        return
    for number in scene.seeds:
        made = with_fixture(source, names, name="seeded", code=SEEDED % number, imports=["random"])
        yield Proposal(f"seeds random with {number} and gives its state back", {path: made.text})
    if "numpy" in scene.uses:
        for number in scene.seeds:
            made = with_fixture(
                source, names, name="seeded", code=NUMPY % number, imports=["numpy"]
            )
            yield Proposal(f"seeds numpy.random with {number}", {path: made.text})
    for number in scene.seeds:
        made = with_fixture(
            source, names, name="seeded", code=GENERATORS % (number, number, number),
            imports=["random", "functools", "os", "secrets"],
        )  # fmt: skip
        yield Proposal(f"seeds every source of chance with {number}", {path: made.text})


def zone(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Run in the zone that the expected values are of."""
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    source = Source.of(scene.read(path))
    made = with_fixture(source, names, name="in_utc", code=ZONE, imports=["time"])
    yield Proposal("sets TZ to UTC for the test and gives it back", {path: made.text})


def language(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Name the encoding, or the locale, that the expected values are of."""
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    text = scene.read(path)
    source = Source.of(text)
    function = source.function(names)
    if function is None:
        return
    from pytest_aipipe.flaky.mend.text import with_encodings

    named = source.edited(names, with_encodings)
    if named.text != text:
        yield Proposal("names the encoding of the files that it writes and reads",
                       {path: named.text}, frozenset({"encoding"}))  # fmt: skip
    made = with_fixture(source, names, name="utf8_locale", code=UTF8, imports=["locale"])
    yield Proposal("sets a locale with UTF-8 for the test and gives it back", {path: made.text})
    if not source.in_unittest(names):
        edited = source.edited(
            names,
            lambda f: with_statements(
                with_parameter(f, "monkeypatch"), 'monkeypatch.setenv("LC_ALL", "C")\n'
            ),
        )
        yield Proposal("sets the locale for the test", {path: edited.text})


def folder(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Give the test a folder of its own."""
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    source = Source.of(scene.read(path))
    if source.function(names) is None or source.in_unittest(names):
        return
    lines = {
        "works in tmp_path instead of the current folder": "monkeypatch.chdir(tmp_path)\n",
        "uses tmp_path for temporary files":
            'monkeypatch.setattr("tempfile.tempdir", str(tmp_path))\n',
    }  # fmt: skip
    for attribute, kind in scene.paths.items():
        name = Path(attribute.rpartition(".")[2].lower()).name
        value = f'tmp_path / "{name}"' if kind != "str" else f'str(tmp_path / "{name}")'
        lines[f"keeps {attribute} under tmp_path"] = (
            f'monkeypatch.setattr("{attribute}", {value})\n'
        )
    for words, code in lines.items():

        def edit(function: object, code: str = code) -> object:
            asked = with_parameter(with_parameter(function, "tmp_path"), "monkeypatch")  # type: ignore[arg-type]
            return with_statements(asked, code)

        yield Proposal(words, {path: source.edited(names, edit).text})  # type: ignore[arg-type]
    from pytest_aipipe.flaky.mend.text import with_tmp_path

    moved = source.edited(names, lambda f: with_parameter(with_tmp_path(f), "tmp_path"))
    if "tmp_path /" in moved.text and moved.text != source.text:
        yield Proposal("writes under tmp_path instead of a fixed path", {path: moved.text},
                       frozenset({"place"}))  # fmt: skip
