"""The mend of a clock: it stands still where the project reads it."""

from __future__ import annotations

import ast
import datetime as dt
import time
from pathlib import Path
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.flaky.condition import pinned
from pytest_aipipe.flaky.mend.proposal import Proposal, names_of
from pytest_aipipe.flaky.mend.source import Source, with_fixture

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.mend.proposal import Scene


def freeze(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Stop the clock at a time at which the test holds, where the project reads it."""
    names, path = names_of(finding.nodeid), scene.path_of(finding.nodeid)
    source = Source.of(scene.read(path))
    if source.function(names) is None or finding.failure is None:
        return
    places = [str(one) for one in finding.failure.touched.get("clock_places", ())]
    for at in good_times(finding):
        moment = dt.datetime.fromtimestamp(at, dt.UTC).replace(tzinfo=None)
        told = f"stops the clock at {moment:%Y-%m-%d %H:%M:%S}"
        if "time_machine" in scene.uses or "freezegun" in scene.uses:
            module = "time_machine" if "time_machine" in scene.uses else "freezegun"
            call = "travel" if module == "time_machine" else "freeze_time"
            extra = ", tick=False" if module == "time_machine" else ""
            mark = f'{module}.{call}("{moment.isoformat()}"{extra})'
            from pytest_aipipe.flaky.mend.source import with_mark

            made = source.edited(names, lambda f, mark=mark: with_mark(f, mark))  # type: ignore[misc]
            yield Proposal(told, {path: made.with_import(module).text})
        code = clock_fixture(_reads(places, scene), moment, at)
        if code:
            imports = ["datetime", "time"]
            made = with_fixture(source, names, name="frozen_clock", code=code, imports=imports)
            yield Proposal(told, {path: made.text})


def good_times(finding: Finding) -> list[float]:
    """Return times at which the test held: the pinned one, or the settings' that turned it."""
    noon = float(pinned(time.time()).knobs["clock"])
    turned = [dict(s.knobs) or dict(s.condition.knobs if s.condition else {})
              for s in finding.settings]  # fmt: skip
    at = [float(knobs["clock"]) for knobs in turned if "clock" in knobs]
    return [*dict.fromkeys([noon, *at])]


CLOCK_CALLS = {"now", "utcnow", "today", "time", "time_ns", "localtime", "gmtime", "strftime",
               "ctime", "monotonic", "perf_counter"}  # fmt: skip


def _reads(places: Sequence[str], scene: Scene) -> set[tuple[str, str, str]]:
    """Return (module, name in it, what that is) for each reading of the clock.

    The lines are those of the files as the tests ran; mends before this one may have moved them.
    """
    found: set[tuple[str, str, str]] = set()
    for place in places:
        file, _, line = place.rpartition(":")
        try:
            tree = syntax.parse(scene.original(str(Path(file).relative_to(scene.top))))
        except (OSError, SyntaxError, ValueError):
            continue
        module = module_of(Path(file))
        imported = _imports(tree)
        for node in ast.walk(tree):
            if not isinstance(node, ast.Call):
                continue
            end = node.end_lineno or node.lineno
            if node.lineno <= int(line) <= end:
                words = ast.unparse(node.func)
                if words.rpartition(".")[2] in CLOCK_CALLS:
                    found |= _target(module, words, imported)
    return found


def _imports(tree: ast.AST) -> dict[str, str]:
    names = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names.update({a.asname or a.name: a.name for a in node.names})
        elif isinstance(node, ast.ImportFrom):
            names.update({a.asname or a.name: f"{node.module}.{a.name}" for a in node.names})
    return names


def _target(module: str, words: str, imported: dict[str, str]) -> set[tuple[str, str, str]]:
    first, _, rest = words.partition(".")
    whole = imported.get(first, first) + (f".{rest}" if rest else "")
    if whole.startswith(("datetime.datetime.", "datetime.date.")):
        kind = whole.split(".")[1]
        if imported.get(first) == "datetime":
            return {("datetime", kind, kind)}
        return {(module, first, kind)}
    if whole.startswith("time."):
        name = whole.split(".")[1]
        if imported.get(first) == "time":
            return {("time", name, name)}
        return {(module, first, name)}
    return set()


def module_of(file: Path) -> str:
    """Return the dotted name of a file: from its outermost package on."""
    parts, folder = [file.stem], file.parent
    while (folder / "__init__.py").exists() and folder != folder.parent:
        parts.insert(0, folder.name)
        folder = folder.parent
    if parts[-1] == "__init__":
        parts.pop()
    own = file.name.startswith("test_") or file.stem.endswith("_test")
    return "" if own else ".".join(parts)


def clock_fixture(reads: set[tuple[str, str, str]], moment: dt.datetime, at: float) -> str:
    """Return the code of a fixture that stops the clock where it is read; "" for nowhere."""
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    wall = ", ".join(str(one) for one in [*parts, moment.microsecond])
    kinds = {kind for _, _, kind in reads}
    lines, body = [], []
    if "datetime" in kinds:
        lines += [
            "class FrozenDatetime(datetime.datetime):",
            "    @classmethod",
            "    def now(cls, tz=None):",
            f"        moment = cls({wall})",
            "        utc = moment.replace(tzinfo=datetime.timezone.utc)",
            "        return moment if tz is None else utc.astimezone(tz)",
            "",
            "    @classmethod",
            "    def utcnow(cls):",
            "        return cls.now()",
            "",
            "    @classmethod",
            "    def today(cls):",
            "        return cls.now()",
            "",
            "",
        ]
    if "date" in kinds:
        lines += [
            "class FrozenDate(datetime.date):",
            "    @classmethod",
            "    def today(cls):",
            f"        return cls({', '.join(str(one) for one in parts[:3])})",
            "",
            "",
        ]
    values = {
        "datetime": "FrozenDatetime", "date": "FrozenDate", "time": f"lambda: {at!r}",
        "time_ns": f"lambda: {int(at * 1e9)}",
    }  # fmt: skip
    for module, name, kind in sorted(reads):
        if kind not in values:
            return ""
        target = f'"{module}.{name}"' if module else None
        if target is None:
            body.append(f'    monkeypatch.setitem(globals(), "{name}", {values[kind]})')
        else:
            body.append(f"    monkeypatch.setattr({target}, {values[kind]})")
    if not body:
        return ""
    head = ["@pytest.fixture", "def {name}(monkeypatch):",
            f'    """The clock stands still at {moment:%Y-%m-%d %H:%M:%S}."""']  # fmt: skip
    return "\n".join([*lines, *head, *body]) + "\n"
