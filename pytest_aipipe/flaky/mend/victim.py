"""Mends of a test that depends on the tests before it: it begins with the state that it needs."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from aipipe_core import syntax
from pytest_aipipe.flaky.mend.proposal import Proposal, names_of
from pytest_aipipe.flaky.mend.restore import split
from pytest_aipipe.flaky.mend.source import Source, with_fixture, with_statements

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_aipipe.flaky.finding import Finding, Pollution
    from pytest_aipipe.flaky.mend.proposal import Scene

STATE = '''\
@pytest.fixture
def {name}(monkeypatch):
    """What other tests may have changed, as it is expected."""
'''


def prepare(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Let the test do first what it needs, or set the state with which it holds.

    The second is for a state that many tests change: giving it back in one of them is not
    enough. It is proposed where every value can be written down.
    """
    pollution = finding.pollution
    if pollution is None:
        return
    if pollution.brittle:
        yield from _helped(pollution, scene)
    names, path = names_of(pollution.victim), scene.path_of(pollution.victim)
    source = Source.of(scene.read(path))
    rows = [_set(row, scene, path, brittle=pollution.brittle) for row in pollution.changed]
    made = [row for row in rows if row is not None]
    if source.function(names) is None or not made or len(made) < len(rows):
        return
    code = STATE + "".join(f"    {line}\n" for _, line in made)
    modules = [module for module, _ in made if module]
    edited = with_fixture(source, names, name="expected_state", code=code, imports=modules)
    whole = " and ".join(str(row["key"]).partition(":")[2] for row in pollution.changed)
    yield Proposal(f"sets {whole} for the test as it needs it", {path: edited.text})


def _set(
    row: Mapping[str, Any], scene: Scene, path: str, *, brittle: bool
) -> tuple[str, str] | None:
    """Return the module to import and the line that sets the state; None where none can."""
    kind, _, name = str(row["key"]).partition(":")
    text = str(row["now"] if brittle else row["was"])
    value: Any = None
    with suppress(ValueError, SyntaxError):
        value = syntax.literal(text)
    if kind != "attribute" or row["kind"] != kind or (value is None and text != "None"):
        return None
    module, rest = split(name, scene, path)
    owner, _, attribute = rest.rpartition(".")
    place = ".".join(part for part in (module, owner) if part)
    if not place:
        return module, f'monkeypatch.setitem(globals(), "{attribute}", {text})'
    return module, f'monkeypatch.setattr({place}, "{attribute}", {text})'


def _helped(pollution: Pollution, scene: Scene) -> Iterator[Proposal]:
    """Let a test that needs others run what they do first (iFixFlakies' helper)."""
    victim = names_of(pollution.victim)
    path = scene.path_of(pollution.victim)
    source = Source.of(scene.read(path))
    calls: list[str] = []
    for other in pollution.before:
        names = names_of(other)
        function = source.function(names)
        same = scene.path_of(other) == path and names[:-1] == victim[:-1]
        if not same or function is None or "[" in other:
            return
        wanted = [one.name.value for one in function.params.params]
        if wanted not in ([], ["self"]):
            return
        calls.append(f"{'self.' if wanted else ''}{names[-1]}()\n")
    code = "".join(calls)
    edited = source.edited(victim, lambda f: with_statements(f, code))
    others = " and ".join(pollution.before)
    yield Proposal(f"lets it do first what {others} does", {path: edited.text})
