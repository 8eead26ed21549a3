"""What a question about a gap is made of: the listing, the way to each line, the nearest test."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from pytest_aipipe.engines.analysis.guards import guards_of_branch, guards_of_line
from pytest_aipipe.engines.llm.surroundings import one_line
from pytest_aipipe.engines.source.existing import test_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from aipipe_core.change.model import Hunk
    from pytest_aipipe.engines.analysis.guards import Guards
    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.generate.model import KnownTest

MAX_TEST_LINES = 60
MAX_HELPERS = 40
MAX_PASSED_BY = 3
NEAREST_LOOKED_AT = 4
_AROUND = 6  # lines shown on each side of a gap that stands in no function


def spans(situation: Situation) -> list[range]:
    """Return the lines to show: whole functions, never a part of one."""
    found: list[range] = []
    wanted = sorted(situation.gap.lines | {start for start, _ in situation.gap.branches})
    for line in wanted:
        if any(line in span for span in found):
            continue
        holder = _function_at(situation, line)
        if holder is not None:
            found.append(range(holder.start, holder.end + 1))
        else:
            found.append(_statements_around(situation, line))
    return sorted(found, key=lambda span: span.start)


def _function_at(situation: Situation, line: int) -> Definition | None:
    """Return the outermost function that holds ``line``, within its class."""
    holder = situation.module.at(line)
    best = None
    while holder is not None:
        best = best if holder.is_class else holder
        holder = holder.owner
    return best


def _statements_around(situation: Situation, line: int) -> range:
    body: Sequence[ast.stmt] = situation.module.tree.body
    holder = situation.module.at(line)
    if holder is not None:
        body = holder.node.body
    for node in body:
        if node.lineno <= line <= (node.end_lineno or node.lineno):
            return range(node.lineno, (node.end_lineno or node.lineno) + 1)
    return range(max(1, line - _AROUND), line + _AROUND + 1)


def listing(situation: Situation) -> str:
    """Return the source with a gutter: ``!`` not run, ``~`` a branch not taken, ``+`` changed."""
    added = situation.scene.added.get(situation.gap.path, frozenset())
    lines = situation.module.source.splitlines()
    starts = {start for start, _ in situation.arcs}
    out: list[str] = []
    for span in spans(situation):
        if out:
            out.append("...")
        for number in span:
            if number > len(lines):
                break
            mark = "!" if number in situation.lines else "~" if number in starts else " "
            changed = "+" if number in added else " "
            out.append(f"{number:4}{changed}{mark} {lines[number - 1]}".rstrip())
    return "\n".join(out)


def removed(situation: Situation, hunks: Sequence[Hunk]) -> str:
    """Return the lines that the change took away within what is shown."""
    shown = {number for span in spans(situation) for number in span}
    found = [
        line
        for hunk in hunks
        if shown & set(range(hunk.new_start, hunk.new_start + max(1, len(hunk.added))))
        for line in hunk.removed
    ]
    return "\n".join(f"- {line}" for line in found[:MAX_TEST_LINES])


def wanted(situation: Situation) -> str:
    """Return each open line and branch with what must hold on the way to it.

    What holds on the way to all of them is said once, at the beginning.
    """
    rows: dict[tuple[str, ...], list[int]] = {}
    for line in sorted(situation.lines):
        rows.setdefault(way_of(guards_of_line(situation.module, line)), []).append(line)
    places = [(f"lines {_ranges(lines)}", way) for way, lines in rows.items()]
    for arc in sorted(situation.arcs):
        if arc[1] in situation.lines:
            continue  # whoever runs the line takes the branch
        where = f"to line {arc[1]}" if arc[1] > 0 else "out of the function"
        way = way_of(guards_of_branch(situation.module, arc))
        places.append((f"the branch from line {arc[0]} {where}", way))
    shared = _in_all([way for _, way in places]) if len(places) > 1 else ()
    out = [f"on the way to all of it: {'; '.join(shared)}"] if shared else []
    for what, way in places:
        rest = [part for part in way if part not in shared]
        out.append(f"{what}: {'; '.join(rest)}" if rest else what)
    return "\n".join(out)


def _in_all(ways: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(part for part in ways[0] if all(part in way for way in ways))


def way_of(guards: Guards) -> tuple[str, ...]:
    """Return the conditions on the way, each as a phrase."""
    # Of a long chain of elif the arms that were not taken say little: the last few are enough.
    told = [c for c in guards.conditions if c.wanted]
    passed_by = [c for c in guards.conditions if not c.wanted][-MAX_PASSED_BY:]
    parts = [
        f"line {c.test.lineno} `{_short(c.test)}` is {'true' if c.wanted else 'false'}"
        for c in guards.conditions
        if c in told or c in passed_by
    ]
    parts += [f"the loop at line {loop.lineno} is entered" for loop in guards.loops]
    parts += [
        f"the loop at line {loop.lineno} has nothing to go over" for loop in guards.empty_loops
    ]
    parts += [
        f"the try at line {t.lineno} raises {_short(h.type) if h.type else 'anything'}"
        for t, h in guards.handlers
    ]
    return tuple(parts)


def nearest(situation: Situation) -> tuple[str, str]:
    """Return the name and the whole text of the nearest test, with the imports it needs."""
    looked = [(test, _text_of(situation, test)) for test in situation.tests[:NEAREST_LOOKED_AT]]
    whole = [(test, text) for test, text in looked if text]
    if not whole:
        return "", ""
    fitting = [one for one in whole if one[1].count("\n") <= MAX_TEST_LINES]
    test, text = (fitting or [min(whole, key=lambda one: len(one[1]))])[0]
    return f"{test.source_path.name}::{test.qualname}", text


def _text_of(situation: Situation, test: KnownTest) -> str:
    source = situation.scene.test_sources.get(test.source_path)
    file = test_file(test.source_path, source) if source else None
    found = file.find(test.qualname) if file else None
    if file is None or found is None or source is None:
        return ""
    node, owner = found
    needed = [
        text
        for text in file.needed(ast.Module(body=[node], type_ignores=[]))
        if text.startswith(("import ", "from ")) or text.count("\n") < MAX_HELPERS
    ]
    first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
    body = "\n".join(source.splitlines()[first - 1 : node.end_lineno])
    inside = f"class {owner.name}:\n" if owner is not None else ""
    return "\n".join([*needed, "", inside + body])


def fixtures(situation: Situation) -> list[str]:
    """Return the project's own fixtures, and the few of pytest's that tests like these need."""
    usual = {"tmp_path", "monkeypatch", "capsys", "caplog", "recwarn", "request"}
    known = situation.scene.fixtures
    own = sorted(
        name
        for name in known
        if name not in _PYTESTS and not name.startswith("_") and name.isidentifier()
    )
    return [*sorted(usual & known), *own[:20]]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_PYTESTS = _words(
    "cache capfd capfdbinary caplog capsys capsysbinary capteesys doctest_namespace "
    "monkeypatch pytestconfig record_property record_testsuite_property record_xml_attribute "
    "recwarn request subtests testdir pytester tmp_path tmp_path_factory tmpdir "
    "tmpdir_factory event_loop event_loop_policy unused_tcp_port unused_tcp_port_factory "
    "unused_udp_port anyio_backend unused_udp_port_factory anyio_backend_name "
    "anyio_backend_options free_tcp_port cov no_cover free_tcp_port_factory free_udp_port "
    "free_udp_port_factory worker_id testrun_uid"
)


def _short(node: ast.expr) -> str:
    return one_line(ast.unparse(node), 100)


def _ranges(numbers: Iterable[int]) -> str:
    from pytest_aipipe.report.terminal import ranges

    return ranges(numbers)
