from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aipipe_core.change.kinds import kinds_of
from aipipe_core.change.model import Change, FileChange
from aipipe_core.store.packing import pack_lines
from pytest_aipipe.select.decide import Facts
from pytest_aipipe.select.graph import Graph
from pytest_aipipe.select.plan import Contents, Item, Plan, Planner
from pytest_aipipe.select.testmap import Known, digest_of

CODE = "def f():\n    return 1\ndef g():\n    return 2\n"
OLD = {
    "a.py": CODE,
    "test_a.py": "import a\ndef test_f(): a.f()\ndef test_g(): a.g()\n",
    "test_b.py": "def test_b(): ...\n",
}
RAN = {
    "test_a.py::test_f": ({2}, {1}),
    "test_a.py::test_g": ({4}, {3}),
    "test_b.py::test_b": (set(), set()),
}


@dataclass
class Memory:
    """A map in which each test ran some lines, and entered some functions, of ``a.py``."""

    known: dict[str, Known] = field(default_factory=lambda: {one: Known("p") for one in RAN})
    files: dict[str, str] = field(default_factory=lambda: dict(OLD))
    modules: dict[str, tuple[set[int], set[int]]] = field(default_factory=dict)
    read: dict[str, list[str]] = field(default_factory=dict)

    def tests(self) -> dict[str, Known]:
        return self.known

    def contents(self) -> dict[str, list[str]]:
        return {path: [digest_of(text.encode())] for path, text in self.files.items()}

    def rows(self, path: str, digest: str) -> list[tuple[str, bytes, bytes]]:
        assert digest == digest_of(self.files[path].encode())
        if path != "a.py":
            return []
        every = {who: ran for who, ran in {**RAN, **self.modules}.items() if ran[0]}
        return [(who, pack_lines(one), pack_lines(two)) for who, (one, two) in every.items()]

    def source(self, path: str, digest: str) -> bytes:
        del digest
        return self.files[path].encode()

    def reads(self) -> dict[str, list[str]]:
        return dict(self.read)

    def mentions(self, digest: str) -> None:
        del digest


def plan(
    new: dict[str, str | None], memory: Memory | None = None, *more: str, status: str = "M"
) -> Plan:
    """Decide for the tests of ``OLD`` when ``new`` is what changed files hold now."""
    files = {**OLD, **new}
    contents = Contents(
        lambda path: None if files.get(path) is None else str(files[path]).encode(),
        lambda path: OLD[path].encode() if path in OLD else None,
    )
    graph = Graph(files, contents.now, ("",))
    changes = tuple(FileChange(path, status, kinds_of(path)) for path in new)
    planner = Planner(Change(Path("/r"), "0" * 40, "worktree", changes), graph, Facts(), contents)
    items = [
        Item(nodeid, nodeid.partition("::")[0], frozenset({nodeid.rpartition("::")[2]}))
        for nodeid in (*RAN, *more)
    ]
    return planner.plan(items, memory)


def names(found: Plan) -> set[str]:
    return {nodeid.rpartition("_")[2] for nodeid in found.selection.reasons}


def test_without_a_map_the_import_graph_decides() -> None:
    assert names(plan({"a.py": CODE.replace("1", "9")})) == {"f", "g"}


def test_with_a_map_only_who_ran_the_change_runs() -> None:
    found = plan({"a.py": CODE.replace("return 1", "return 9")}, Memory())
    assert found.selection.reasons == {"test_a.py::test_f": "ran changed lines of a.py"}
    assert set(found.selection.left_out) == {"test_a.py::test_g", "test_b.py::test_b"}


def test_a_test_that_the_map_does_not_know_is_decided_by_the_import_graph() -> None:
    change: dict[str, str | None] = {"a.py": CODE.replace("return 2", "return 9")}
    found = plan(change, Memory(), "test_a.py::test_new", "test_b.py::test_far")
    assert names(found) == {"g", "new"}


def test_a_verdict_that_is_bad_or_was_never_written_is_not_relied_on() -> None:
    memory = Memory()
    memory.known |= {"test_b.py::test_b": Known("pf"), "test_a.py::test_g": Known("p?")}
    found = plan({"a.py": CODE.replace("return 1", "return 9")}, memory)
    assert found.selection.reasons["test_b.py::test_b"] == "failed when it last ran"
    assert found.selection.reasons["test_a.py::test_g"] == "what it ran was not seen to its end"


def test_a_map_made_with_the_change_still_answers_for_it() -> None:
    new = CODE.replace("return 1", "return 9")
    assert names(plan({"a.py": new}, Memory(files={**OLD, "a.py": new}))) == {"f"}


def test_an_older_map_answers_for_everything_since() -> None:
    older = CODE.replace("return 2", "return 7")
    memory = Memory(files={**OLD, "a.py": older})
    assert names(plan({"a.py": CODE.replace("return 1", "return 9")}, memory)) == {"f", "g"}


def test_what_runs_at_import_concerns_who_can_load_the_module() -> None:
    memory = Memory(modules={"<module>test_b.py": ({2}, {1})})
    found = plan({"a.py": CODE.replace("return 1", "return 9")}, memory)
    assert names(found) == {"f", "b"}


def test_a_file_that_is_gone_concerns_who_ran_it_and_who_can_load_it() -> None:
    assert names(plan({"a.py": None}, Memory(), status="D")) == {"f", "g"}


def test_settings_of_pytest_concern_everybody() -> None:
    assert len(names(plan({"pytest.ini": "[pytest]\n"}, Memory()))) == 3


def test_a_data_file_concerns_who_read_it() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", reads=("data/x.txt",))
    assert names(plan({"data/x.txt": "new"}, memory)) == {"b"}
    assert names(plan({"data/y.txt": "new"}, memory)) == set()


def test_a_data_file_that_comes_concerns_who_listed_its_folder() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", reads=("data/",))
    assert names(plan({"data/y.txt": "new"}, memory, status="A")) == {"b"}


def test_a_data_file_that_a_module_reads_concerns_who_can_load_it() -> None:
    memory = Memory(read={"<module>a.py": ["data.json"]})
    assert names(plan({"data.json": "{}"}, memory)) >= {"f", "g"}


def test_a_test_that_starts_programs_runs_with_any_change_of_code() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", starts=True)
    assert names(plan({"a.py": CODE.replace("return 1", "return 9")}, memory)) == {"f", "b"}
    assert names(plan({"README.md": "new"}, memory)) == set()


def test_a_changed_test_runs_and_its_neighbours_do_not() -> None:
    new = OLD["test_a.py"].replace("def test_g():", "@mark\ndef test_g():")
    assert names(plan({"test_a.py": new}, Memory())) == {"g"}


def test_every_test_has_a_reason_or_is_left_out() -> None:
    found = plan({"a.py": CODE.replace("return 1", "return 9")}, Memory()).selection
    assert found.collected == 3
    assert set(found.reasons) | set(found.left_out) == set(RAN)
