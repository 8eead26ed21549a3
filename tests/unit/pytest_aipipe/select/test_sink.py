from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from aipipe_core.store.packing import unpack_lines
from pytest_aipipe.select.sink import OUTSIDE, Sink, both, merged

if TYPE_CHECKING:
    from pathlib import Path


class Data:
    """Stands for coverage.py's own data."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def set_context(self, context: str | None) -> None:
        self.seen.append(context)

    def add_arcs(self, arcs: Any) -> None:
        self.seen.append(dict(arcs))


def sink_for(tmp_path: Path) -> tuple[Sink, Data]:
    (tmp_path / "a.py").write_text("x = 1\n", encoding="utf-8")
    sink = Sink(
        lambda file: "a.py" if file.endswith("a.py") else None, lambda f: f.endswith("b.py")
    )
    data = Data()
    collector = SimpleNamespace(covdata=data)
    assert sink.divert(SimpleNamespace(_collector=collector))  # type: ignore[arg-type]
    assert collector.covdata is sink
    return sink, data


def ran(sink: Sink, who: str) -> list[set[int]]:
    return [set(unpack_lines(bitmap)) for bitmap in sink.ran[who]["a.py"]]


def test_what_runs_is_kept_for_the_test_that_runs_it_with_the_functions_it_entered(
    tmp_path: Path,
) -> None:
    sink, _ = sink_for(tmp_path)
    file = str(tmp_path / "a.py")
    sink.set_context("t::one|run")
    sink.add_arcs({file: [(-4, 5), (5, 7), (7, -4)]})
    sink.set_context("")
    sink.add_arcs({file: [(-1, 1)]})
    sink.keep()
    assert ran(sink, "t::one") == [{5, 7}, {4}]
    assert ran(sink, OUTSIDE) == [{1}, {1}]
    assert sink.sources == {"a.py": b"x = 1\n"}


def test_the_phases_of_a_test_are_one(tmp_path: Path) -> None:
    sink, _ = sink_for(tmp_path)
    for phase, line in (("setup", 3), ("run", 9)):
        sink.set_context(f"t::one|{phase}")
        sink.add_arcs({str(tmp_path / "a.py"): [(line, line)]})
    sink.keep()
    assert ran(sink, "t::one")[0] == {3, 9}


def test_who_runs_inside_another_is_kept_apart(tmp_path: Path) -> None:
    sink, _ = sink_for(tmp_path)
    file = str(tmp_path / "a.py")
    sink.set_context("t::one|setup")
    sink.over("<fixture>box")
    sink.add_arcs({file: [(1, 2)]})
    sink.back()
    sink.add_arcs({file: [(5, 6)]})
    sink.keep()
    assert ran(sink, "<fixture>box")[0] == {1, 2}
    assert ran(sink, "t::one")[0] == {5, 6}


def test_the_measurement_behind_gets_only_the_files_that_it_wants(tmp_path: Path) -> None:
    sink, data = sink_for(tmp_path)
    sink.add_arcs({str(tmp_path / "a.py"): [(1, 2)], "/x/b.py": [(1, 3)]})
    assert data.seen == [{"/x/b.py": [(1, 3)]}]


def test_a_release_of_another_build_is_left_alone() -> None:
    sink = Sink(lambda _: None, lambda _: True)
    assert not sink.divert(SimpleNamespace())  # type: ignore[arg-type]


def test_bitmaps_of_different_length_are_united() -> None:
    assert both(b"\x01", b"\x02\x01") == b"\x03\x01"
    assert both(b"", b"\x02") == b"\x02"
    assert merged({"a": (b"\x01", b"")}, {"a": (b"\x02", b"\x01"), "b": (b"\x01", b"")}) == {
        "a": (b"\x03", b"\x01"),
        "b": (b"\x01", b""),
    }
