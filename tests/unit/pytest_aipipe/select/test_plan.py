from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from aipipe_core.change.kinds import kinds_of
from aipipe_core.change.model import Change, FileChange
from aipipe_core.store.packing import pack_lines
from pytest_aipipe.select.decide import Facts
from pytest_aipipe.select.files import EVER, Contents
from pytest_aipipe.select.graph import Graph
from pytest_aipipe.select.plan import Item, Plan, Planner
from pytest_aipipe.select.testmap import Known, digest_of
from pytest_aipipe.select.watch import EARLY, FOLLOWED

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
    """A map in which each test ran some lines, and entered some functions, of ``a.py``.

    With another ``package``, ``modules`` alone ran that file.
    """

    known: dict[str, Known] = field(default_factory=lambda: {one: Known("p") for one in RAN})
    files: dict[str, str] = field(default_factory=lambda: dict(OLD))
    modules: dict[str, tuple[set[int], set[int]]] = field(default_factory=dict)
    read: dict[str, list[str]] = field(default_factory=dict)
    lines: dict[str, tuple[set[int], set[int]]] = field(default_factory=lambda: dict(RAN))
    package: str = "a.py"

    def tests(self) -> dict[str, Known]:
        return self.known

    def contents(self) -> dict[str, list[str]]:
        return {path: [digest_of(text.encode())] for path, text in self.files.items()}

    def rows(self, path: str, digest: str) -> list[tuple[str, bytes, bytes]]:
        assert digest == digest_of(self.files[path].encode())
        if path != self.package:
            return []
        lines = self.lines if self.package == "a.py" else {}
        every = {who: ran for who, ran in {**lines, **self.modules}.items() if ran[0]}
        return [(who, pack_lines(one), pack_lines(two)) for who, (one, two) in every.items()]

    def source(self, path: str, digest: str) -> bytes:
        del digest
        return self.files[path].encode()

    def reads(self) -> dict[str, list[str]]:
        return dict(self.read)

    def mentions(self, digest: str) -> None:
        del digest


def plan(
    new: dict[str, str | None],
    memory: Memory | None = None,
    *more: str,
    status: str = "M",
    installed: tuple[str, ...] = (),
    beside: dict[str, str] | None = None,
    loaded: tuple[str, ...] = (),
) -> Plan:
    """Decide for the tests of ``OLD`` when ``new`` is what changed files hold now."""
    files = {**(memory.files if memory else OLD), **new, **(beside or {})}
    contents = Contents(
        lambda path: None if files.get(path) is None else str(files[path]).encode(),
        lambda path: OLD[path].encode() if path in OLD else None,
        lambda path: path.startswith("committed/"),
    )
    graph = Graph(files, contents.now, ("",))
    changes = tuple(FileChange(path, status, kinds_of(path)) for path in new)
    facts = Facts(loaded=frozenset(loaded), installed=frozenset(installed))
    planner = Planner(Change(Path("/r"), "0" * 40, "worktree", changes), graph, facts, contents)
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


def test_code_or_a_document_that_a_test_reads_concerns_it_whatever_differs() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", reads=("a.py",))
    assert names(plan({"a.py": f"{CODE}# why\n"}, memory)) == {"b"}
    memory.known["test_b.py::test_b"] = Known("p", reads=("README.md",))
    assert names(plan({"README.md": "new"}, memory)) == {"b"}
    memory.known["test_b.py::test_b"] = Known("p", reads=("src/",))
    assert names(plan({"src/new.py": ""}, memory, status="A")) == {"b"}
    assert names(plan({"a.py": f"{CODE}# why\n"}, memory)) == set()


def test_a_data_file_that_comes_concerns_who_listed_its_folder() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", reads=("data/",))
    assert names(plan({"data/y.txt": "new"}, memory, status="A")) == {"b"}


def test_a_data_file_that_a_module_reads_concerns_who_can_load_it() -> None:
    memory = Memory(read={"<module>a.py": ["data.json"]})
    assert names(plan({"data.json": "{}"}, memory)) >= {"f", "g"}


SHOP = {"shop/a.py": CODE}


def in_shop(**read: list[str]) -> Memory:
    """A map in which all but ``test_b`` ran code of the package ``shop``."""
    memory = Memory(files={**OLD, **SHOP}, read=read)
    memory.modules = {"test_a.py::test_f": RAN["test_a.py::test_f"]}
    memory.package = "shop/a.py"
    return memory


def test_a_catalogue_that_nobody_ever_opened_concerns_nobody() -> None:
    change: dict[str, str | None] = {"shop/locale/de/shop.po": "new"}
    assert names(plan(change, in_shop())) == set()
    assert names(plan({"shop/rows.txt": "new"}, in_shop())) == {"f"}


def test_a_catalogue_that_was_opened_once_concerns_who_runs_code_beside_it() -> None:
    change: dict[str, str | None] = {"shop/locale/de/shop.po": "new"}
    memory = in_shop(**{EVER: ["shop/locale/de/shop.po"]})
    assert names(plan(change, memory)) == {"f"}
    memory = in_shop()
    memory.known["test_b.py::test_b"] = Known("p", reads=("shop/locale/de/shop.po",))
    assert names(plan(change, memory)) == {"b"}


def test_a_catalogue_that_may_have_been_compiled_since_concerns_who_uses_the_outcome() -> None:
    change: dict[str, str | None] = {"shop/locale/de/shop.po": "new"}
    memory = in_shop()
    memory.known["test_b.py::test_b"] = Known("p", reads=("shop/locale/de/shop.mo",))
    assert names(plan(change, memory, beside={"shop/locale/de/shop.mo": "x"})) == {"f", "b"}
    gone = in_shop(**{EVER: ["shop/locale/de/shop.mo"]})
    assert names(plan(change, gone)) == {"f"}


def test_what_git_knows_of_a_compiled_catalogue_is_compared_by_itself() -> None:
    memory = in_shop()
    memory.files["committed/a.py"] = CODE
    memory.package = "committed/a.py"
    change: dict[str, str | None] = {"committed/de/shop.po": "new"}
    assert names(plan(change, memory, beside={"committed/de/shop.mo": "x"})) == set()


def test_a_catalogue_beside_a_module_that_was_loaded_early_may_have_been_read_then() -> None:
    change: dict[str, str | None] = {"shop/locale/de/shop.po": "new"}
    assert names(plan(change, in_shop(**{EARLY: ["shop/a.py"]}))) == {"f"}


OLDER, NEWER = "<installed>shop/METADATA@1", "<installed>shop/METADATA@2"


def test_a_version_of_the_project_concerns_who_read_it() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", reads=(OLDER,))
    found = plan({"README.md": "new"}, memory, installed=(NEWER,))
    assert found.selection.reasons == {"test_b.py::test_b": "reads what is installed of shop"}
    assert names(plan({"README.md": "new"}, memory, installed=(OLDER,))) == set()


ASKING = "from importlib.metadata import version\nV = version('shop')\ndef f():\n    return 1\n"


def test_a_version_that_a_module_reads_concerns_who_uses_what_was_made_of_it() -> None:
    memory = Memory(read={"<module>a.py": [OLDER]})
    memory.files["a.py"] = f"{ASKING}def g():\n    return V\n"
    found = plan({"README.md": "new"}, memory, installed=(NEWER,))
    assert not found.selection.reasons
    memory.files["a.py"] = ASKING.replace("return 1", "return V")
    memory.lines = {"test_a.py::test_f": ({4}, {3}), "test_b.py::test_b": ({2}, set())}
    found = plan({"README.md": "new"}, memory, installed=(NEWER,))
    assert set(found.selection.reasons) == {"test_a.py::test_f"}


def test_a_version_that_was_read_before_anybody_watched_is_found_by_the_text() -> None:
    memory = Memory(read={"<module>a.py": [OLDER], EARLY: ["a.py"]})
    memory.files["a.py"] = f"{CODE}from importlib.metadata import version\nV = version('shop')\n"
    assert names(plan({"README.md": "new"}, memory, installed=(NEWER,))) == set()
    memory.files["a.py"] += "def now():\n    return version('shop')\n"
    assert names(plan({"README.md": "new"}, memory, installed=(NEWER,))) == {"f", "g"}


def test_a_version_that_a_function_keeps_concerns_who_asks_for_it() -> None:
    kept = (
        "import functools\nfrom importlib.metadata import version\n"
        "@functools.cache\ndef f():\n    return version('shop')\ndef g():\n    return f()\n"
    )
    memory = Memory(files={**OLD, "a.py": kept})
    memory.known["test_a.py::test_f"] = Known("p", reads=(OLDER,))
    memory.lines = {
        "test_a.py::test_f": ({5, 7}, {3, 6}),
        "test_a.py::test_g": ({7}, {6}),
        "test_b.py::test_b": (set(), set()),
    }
    found = plan({"README.md": "new"}, memory, installed=(NEWER,))
    assert names(found) == {"f", "g"}


def test_a_test_that_starts_programs_runs_with_any_change_of_code() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", starts=True)
    assert names(plan({"a.py": CODE.replace("return 1", "return 9")}, memory)) == {"f", "b"}
    assert names(plan({"README.md": "new"}, memory)) == set()


def test_a_python_that_a_test_started_speaks_for_what_it_ran() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", starts=FOLLOWED)
    assert names(plan({"a.py": CODE.replace("return 1", "return 9")}, memory)) == {"f"}
    memory.lines = {**RAN, "test_b.py::test_b": ({2}, {1})}
    assert names(plan({"a.py": CODE.replace("return 1", "return 9")}, memory)) == {"f", "b"}
    assert names(plan({"a.py": CODE.replace("return 2", "return 9")}, memory)) == {"g"}
    for new in (
        f"{CODE}LIMIT = 1\n",
        f"{CODE}if __name__ == '__main__':\n    f()\n",
        CODE.replace("f()", "f(x=1)"),
    ):
        assert "b" in names(plan({"a.py": new}, memory))
    assert "b" in names(plan({"a.py": None}, memory, status="D"))
    assert "b" in names(plan({"data.json": "{}"}, memory))
    both: dict[str, str | None] = {"a.py": CODE.replace("return 2", "return 9"), "README.md": "new"}
    assert names(plan(both, memory)) == {"g"}, "a document that it did not open"


def test_names_concern_a_started_python_that_ran_their_file_where_no_import_shows_them() -> None:
    memory = Memory()
    memory.known["test_b.py::test_b"] = Known("p", starts=FOLLOWED)
    new: dict[str, str | None] = {"a.py": f"{CODE}LIMIT = 1\n"}
    assert names(plan(new, memory)) == set()
    memory.lines = {**RAN, "test_b.py::test_b": ({1, 3}, set())}
    assert names(plan(new, memory)) == {"b"}
    assert names(plan(new, memory, loaded=("a.py",))) == set()
    uses = {"a.py": f"LIMIT = 1\n{CODE.replace('return 2', 'return LIMIT')}"}
    memory = Memory(files={**OLD, **uses}, lines={**RAN, "test_b.py::test_b": ({1, 2, 4, 5}, {4})})
    memory.known["test_b.py::test_b"] = Known("p", starts=FOLLOWED)
    changed: dict[str, str | None] = {"a.py": uses["a.py"].replace("LIMIT = 1", "LIMIT = 3")}
    assert "b" in names(plan(changed, memory, loaded=("a.py",)))


def test_what_runs_as_a_script_alone_concerns_who_ran_the_module_itself() -> None:
    files = {**OLD, "a.py": f"{CODE}if __name__ == '__main__':\n    f()\n"}
    memory = Memory(files=files, modules={"<module>test_a.py": ({1, 3, 5}, {1})})
    memory.lines = {**RAN, "test_b.py::test_b": ({1, 3, 5, 6}, {1})}
    assert names(plan({"a.py": files["a.py"].replace("    f()", "    g()")}, memory)) == {"f", "b"}
    memory.lines["test_a.py::test_f"] = ({2}, {2})
    for new in (
        files["a.py"].replace("    f()", "    g()"),
        f"{CODE}\n",
        files["a.py"] + "    g()\n",
    ):
        assert names(plan({"a.py": new}, memory)) == {"b"}


def test_a_changed_test_runs_and_its_neighbours_do_not() -> None:
    new = OLD["test_a.py"].replace("def test_g():", "@mark\ndef test_g():")
    assert names(plan({"test_a.py": new}, Memory())) == {"g"}


def test_every_test_has_a_reason_or_is_left_out() -> None:
    found = plan({"a.py": CODE.replace("return 1", "return 9")}, Memory()).selection
    assert found.collected == 3
    assert set(found.reasons) | set(found.left_out) == set(RAN)


def test_a_module_that_reads_the_version_and_a_data_file_is_asked_for_both() -> None:
    memory = Memory(read={"<module>a.py": [OLDER, "data.json"]})
    memory.files["a.py"] = f"{CODE}V = version('shop')\n"
    assert names(plan({"data.json": "{}"}, memory, installed=(NEWER,))) >= {"f", "g"}


MEMO = """\
class Known:
    class Memo:
        def __init__(self):
            self.known = {}
        def make(self, key):
            return key * 2
        def __call__(self, key):
            if key not in self.known:
                self.known[key] = self.make(key)
            return self.known[key]
    memo = Memo()
    def f(self):
        return self.memo(1)
"""


def test_what_an_object_remembers_for_others_concerns_who_uses_its_class() -> None:
    memory = Memory(files={**OLD, "a.py": MEMO})
    memory.lines = {
        "test_a.py::test_f": ({6, 8, 9, 10, 13}, {5, 7, 12}),
        "test_a.py::test_g": ({8, 10, 13}, {7, 12}),
        "test_b.py::test_b": (set(), set()),
    }
    assert names(plan({"a.py": MEMO.replace("* 2", "* 3")}, memory)) == {"f", "g"}
