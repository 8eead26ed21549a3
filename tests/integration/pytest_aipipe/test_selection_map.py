"""The map made by one real session, and what the next one leaves out because of it."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.integration.pytest_aipipe.conftest import Project, clean_environment

if TYPE_CHECKING:
    from pathlib import Path

FILES = {
    "pytest.ini": "[pytest]\npythonpath = src tests\n",
    "data/rows.txt": "1\n",
    "src/shop/__init__.py": "from .price import total\n",
    "src/shop/price.py": """\
RATE = 2


def total(items, discount=0):
    if not items:
        return 0
    if discount:
        return reduced(sum(items), discount)
    return sum(items) * RATE


def reduced(amount, discount):
    return amount - discount


def rows(path):
    return [int(line) for line in path.read_text().split()]


def table():
    return {"a": 1}


TABLE = table()
""",
    "src/shop/cart.py": """\
class Cart:
    limit = 3

    def __init__(self):
        self.items = []

    def put(self, item):
        self.items.append(item)
        return len(self.items)


class Small(Cart):
    limit = 1
""",
    "tests/conftest.py": """\
import pytest
from shop.cart import Cart


@pytest.fixture(scope="module")
def cart():
    made = Cart()
    made.put(5)
    yield made
    made.items.clear()


@pytest.fixture
def prices():
    return [1, 2]
""",
    "tests/test_price.py": """\
from pathlib import Path

import pytest
import shop
from shop.price import TABLE, rows, total

CASES = [1, 2]


def test_nothing():
    assert total([]) == 0


def test_sum(prices):
    assert shop.total(prices) == 6


def test_discount():
    assert total([5], 1) == 4


@pytest.mark.parametrize("one", CASES)
def test_one(one):
    assert one


def test_rows():
    assert rows(Path("data/rows.txt")) == [1]


def test_table():
    assert TABLE["a"]
""",
    "tests/test_cart.py": """\
from shop.cart import Small


def test_first(cart):
    assert cart.items == [5]


def test_second(cart):
    assert cart.put(1) == 2


def test_small():
    assert Small().limit == 1
""",
    "tests/test_other.py": "def test_apart():\n    assert True\n",
}
OPTIONS = ("--ai-engine=none", "--ai-flaky-reruns=0", "--ai-report=json:out.json")
RECORD = ("--ai-diff=worktree", "--ai-select=off", *OPTIONS)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    project = Project(tmp_path_factory.mktemp("recorded") / "project")
    project.commit({".gitignore": "out.json\n", **FILES})
    ran = project.pytest(*RECORD)
    assert "11 passed" in ran.text, ran.text
    return project.root


def copied(recorded: Path, root: Path) -> Project:
    """A copy of a project with its map, whose own Pythons find its code."""
    project = Project(root)
    shutil.rmtree(root)
    shutil.copytree(recorded, root)
    project.environment["PYTHONPATH"] += f":{root / 'src'}"
    return project


@pytest.fixture
def shop(recorded: Path, tmp_path: Path) -> Project:
    """A copy of the project with its map."""
    return copied(recorded, tmp_path / "project")


def edit(project: Project, path: str, old: str, new: str) -> None:
    text = (project.root / path).read_text("utf-8")
    assert old in text
    project.put({path: text.replace(old, new)})


def selected(project: Project, *options: str) -> set[str]:
    ran = project.pytest("--ai-diff=worktree", *OPTIONS, *options)
    assert ran.code in (0, 1), ran.text
    assert "defect" not in ran.text, ran.text
    reasons = project.report()["selection"]["reasons"]
    return {name.partition("::")[2].removeprefix("test_") for name in reasons}


EVERY = {"nothing", "sum", "discount", "one[1]", "one[2]", "rows", "table", "first", "second",
         "small", "apart"}  # fmt: skip
PRICE, CART, TEST = "src/shop/price.py", "src/shop/cart.py", "tests/test_price.py"


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        pytest.param(PRICE, "return 0", "return 1", {"nothing"}, id="a line"),
        pytest.param(PRICE, "if discount:", "if discount > 3:", {"sum", "discount"}, id="a guard"),
        pytest.param(PRICE, "amount -", "amount +", {"discount"}, id="a helper"),
        pytest.param(PRICE, "        return 0\n", "        pass\n", {"nothing"}, id="a deletion"),
        pytest.param(PRICE, "RATE = 2", "RATE = 3", {"sum"}, id="a constant"),
        pytest.param(PRICE, "discount=0", "discount=9", {"nothing", "sum", "discount"}, id="a default"),
        pytest.param(PRICE, '{"a": 1}', '{"a": 0}', {"table"}, id="run at import"),
        pytest.param(CART, "limit = 1", "limit = 2", {"small"}, id="a class variable"),
        pytest.param(CART, "len(self.items)", "0", {"first", "second"}, id="a shared fixture's"),
        pytest.param("tests/conftest.py", "put(5)", "put(6)", {"first", "second"}, id="a fixture"),
        pytest.param("tests/conftest.py", "items.clear()", "items.sort()", {"first", "second"},
                     id="a tear-down"),
        pytest.param("tests/conftest.py", "[1, 2]", "[1, 3]", {"sum"}, id="a function fixture"),
        pytest.param(TEST, "= [1, 2]", "= [1, 0]", {"one[0]"}, id="a row of a table"),
        pytest.param(TEST, "= [1, 2]", "= [3, 1, 2]", {"one[3]"}, id="a row before others"),
        pytest.param(TEST, "= [1, 2]", "= sorted([1, 2])", {"one[1]", "one[2]"}, id="a table"),
        pytest.param(TEST, '"one", CASES', '"one", [1, 2]', {"one[1]", "one[2]"}, id="a mark"),
        pytest.param(TEST, "== 6", "== 7", {"sum"}, id="a test"),
        pytest.param("data/rows.txt", "1", "2", {"rows"}, id="a data file"),
        pytest.param(PRICE, "RATE = 2\n", "RATE = 2  # why\n\n", set(), id="a comment"),
    ],
)  # fmt: skip
def test_what_runs_is_what_ran_the_change(
    shop: Project, path: str, old: str, new: str, expected: set[str]
) -> None:
    edit(shop, path, old, new)
    found = selected(shop)
    assert found == expected


def test_a_failed_test_runs_again_whatever_changed(shop: Project) -> None:
    edit(shop, "tests/test_other.py", "True", "False")
    assert selected(shop) == {"apart"}
    shop.git("checkout", "-q", ".")
    edit(shop, PRICE, "return 0", "return 1")
    assert selected(shop) == {"nothing", "apart"}


def test_a_new_test_runs_and_is_in_the_map_then(shop: Project) -> None:
    edit(shop, "tests/test_other.py", "True\n", "True\n\n\ndef test_new():\n    assert True\n")
    assert selected(shop) == {"new"}
    shop.commit()
    edit(shop, PRICE, "return 0", "return 1")
    assert selected(shop) == {"nothing"}


def test_the_map_answers_for_a_change_that_it_was_made_with(shop: Project) -> None:
    edit(shop, PRICE, "return 0", "return 0 * 1")
    assert selected(shop) == {"nothing"}
    assert selected(shop) == {"nothing"}


def test_a_map_of_an_older_commit_is_brought_forward(shop: Project) -> None:
    edit(shop, PRICE, "RATE = 2", "# one\n# two\nRATE = 2")
    shop.commit()
    edit(shop, PRICE, "return 0", "return 1")
    assert selected(shop) == {"nothing"}


def test_a_test_that_starts_programs_runs_with_every_change_of_code(shop: Project) -> None:
    text = "import subprocess, sys\n\ndef test_run():\n    subprocess.run([sys.executable, '-V'])\n"
    shop.commit({"tests/test_run.py": text})
    shop.pytest(*RECORD)
    edit(shop, PRICE, "return 0", "return 1")
    assert selected(shop) == {"nothing", "run"}


def test_a_test_that_takes_tracing_runs_again_and_blinds_nobody_else(shop: Project) -> None:
    text = "import sys\n\ndef test_debug():\n    sys.settrace(None)\n"
    shop.commit({"tests/test_a_debugger.py": text})
    shop.pytest(*RECORD)
    edit(shop, PRICE, "return 0", "return 1")
    assert selected(shop) == {"nothing", "debug"}


def test_a_template_of_a_package_concerns_who_runs_the_code_beside_it(shop: Project) -> None:
    shop.commit(
        {
            "src/shop/page.txt": "a",
            "src/shop/page.py": """\
from functools import cache
from pathlib import Path


@cache
def page():
    return Path(__file__).with_name("page" + ".txt").read_text()


def shown():
    return page()
""",
            "tests/test_page.py": """\
from shop.page import shown


def test_once():
    assert shown() == "a"


def test_twice():
    assert shown() == "a"
""",
        }
    )
    shop.pytest(*RECORD)
    shop.put({"src/shop/page.txt": "b"})
    assert selected(shop) >= {"once", "twice"}
    shop.git("checkout", "-q", ".")
    shop.pytest(*RECORD)
    edit(shop, "src/shop/page.py", "read_text()", "read_text() + 'c'")
    assert selected(shop) == {"once", "twice"}


def test_a_module_that_is_gone_concerns_who_ran_it(shop: Project) -> None:
    shop.commit({"src/shop/old.py": "def f():\n    return 1\n",
                 "tests/test_old.py": "def test_old():\n    from shop.old import f\n    f()\n"})  # fmt: skip
    shop.pytest(*RECORD)
    (shop.root / "src/shop/old.py").unlink()
    assert selected(shop) == {"old"}


def test_the_nearest_test_runs_first(shop: Project) -> None:
    edit(shop, PRICE, "    return sum(items) * RATE", "    return 5 + sum(items) * RATE")
    edit(shop, PRICE, "def total", "def unused(): ...\n\n\ndef total")
    ran = shop.pytest("--ai-diff=worktree", *OPTIONS, "-v")
    order = [line for line in ran.text.splitlines() if "::test_" in line and "%" in line]
    assert "test_sum" in order[0]


@pytest.mark.slow
def test_two_workers_make_the_same_map(shop: Project) -> None:
    pytest.importorskip("xdist")
    shutil.rmtree(shop.root / ".aipipe")
    ran = shop.pytest(*RECORD, "-n", "2")
    assert "11 passed" in ran.text, ran.text
    edit(shop, PRICE, "amount -", "amount +")
    assert selected(shop, "-n", "2") == {"discount"}
    shop.git("checkout", "-q", ".")
    edit(shop, CART, "len(self.items)", "0")
    assert selected(shop) >= {"first", "second"}


@pytest.mark.slow
def test_the_map_is_made_beside_pytest_cov(shop: Project) -> None:
    pytest.importorskip("pytest_cov")
    shutil.rmtree(shop.root / ".aipipe")
    shop.pytest(*RECORD, "--cov=shop", "--cov-branch")
    edit(shop, PRICE, "amount -", "amount +")
    assert selected(shop, "--cov=shop") == {"discount"}


def test_a_store_that_cannot_be_read_costs_the_selection_and_nothing_else(shop: Project) -> None:
    (shop.root / ".aipipe" / "store.db").write_bytes(b"no database" * 100)
    edit(shop, PRICE, "return 0", "return 1")
    found = selected(shop)
    assert found == EVERY
    assert json.loads((shop.root / "out.json").read_text("utf-8"))["schema"] == 1


def install(shop: Project, site: Path, version: str) -> None:
    """Install the project from its working tree, as pip leaves it behind."""
    shutil.rmtree(site, ignore_errors=True)
    folder = site / f"shop-{version}.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Name: shop\nVersion: {version}\n", "utf-8")
    said = {"url": shop.root.as_uri(), "dir_info": {"editable": True}}
    (folder / "direct_url.json").write_text(json.dumps(said), "utf-8")
    shop.environment["PYTHONPATH"] = f"{clean_environment()['PYTHONPATH']}:{site}"


def test_another_version_of_the_project_concerns_who_read_it(shop: Project, tmp_path: Path) -> None:
    install(shop, tmp_path / "site", "1.0")
    shop.commit(
        {
            "src/shop/about.py": "from importlib.metadata import version\n\n"
            "VERSION = version('shop')\n\n\ndef name():\n    return 'shop'\n\n\n"
            "def title():\n    return f'{name()} {VERSION}'\n",
            "tests/test_about.py": "from importlib.metadata import version\n\n"
            "from shop.about import name, title\n\n\n"
            "def test_name():\n    assert name()\n\n\ndef test_title():\n    assert title()\n\n\n"
            "def test_version():\n    assert version('shop')\n",
        }
    )
    assert "14 passed" in shop.pytest(*RECORD).text
    edit(shop, "src/shop/about.py", "def name", "# changed\ndef name")
    assert selected(shop) == set()
    install(shop, tmp_path / "site", "1.1.dev1")
    assert selected(shop) == {"title", "version"}
    assert selected(shop) == set()


def test_a_catalogue_is_no_matter_before_it_is_compiled(shop: Project) -> None:
    page = (
        "from functools import cache\nfrom pathlib import Path\n\nHERE = Path(__file__).parent\n\n\n"
        "@cache\ndef text():\n    made = HERE / 'de.mo'\n"
        "    return made.read_bytes() if made.exists() else b''\n\n\ndef shown():\n    return text()\n"
    )
    test = (
        "from shop import page\n\n\ndef test_once():\n    assert page.shown() != b'x'\n\n\n"
        "def test_twice():\n    assert page.shown() != b'y'\n"
    )
    shop.commit({".gitignore": "out.json\n*.mo\n", "src/shop/de.po": "one\n",
                 "src/shop/page.py": page, "tests/test_page.py": test})  # fmt: skip
    shop.pytest(*RECORD)
    edit(shop, "src/shop/de.po", "one", "two")
    assert selected(shop) == set()
    shop.put({"src/shop/de.mo": "made"})
    assert selected(shop) >= {"once", "twice"}
    (shop.root / "src/shop/de.mo").unlink()
    assert selected(shop) >= {"once", "twice"}


def test_annotations_kept_as_text_concern_who_reads_them(shop: Project) -> None:
    edit(shop, PRICE, "def reduced(amount, discount)", "def reduced(amount: int, discount)")
    edit(shop, "tests/test_other.py", "def test_apart():\n",
         "def test_types():\n    from typing import get_type_hints\n\n    from shop import price\n\n"
         "    assert get_type_hints(price.reduced)\n\n\ndef test_apart():\n")  # fmt: skip
    shop.commit()
    assert "12 passed" in shop.pytest(*RECORD).text
    edit(shop, PRICE, "RATE = 2", "from __future__ import annotations\nRATE = 2")
    assert selected(shop) == {"types"}


HELP = """
import subprocess, sys

def test_help():
    done = subprocess.run([sys.executable, "-m", "shop.table"], capture_output=True, text=True)
    assert done.stdout == "[0]\\n", done
"""


@pytest.fixture(scope="module")
def started(recorded: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a test that starts Python on a module of it, recorded."""
    project = copied(recorded, tmp_path_factory.mktemp("started") / "project")
    project.commit({"tests/test_help.py": HELP, "src/shop/table.py": (
        "from shop.price import total\n\ndef shown():\n    return [total([])]\n\n"
        "def unseen():\n    return 1\n\nif __name__ == '__main__':\n    print(shown())\n"
    )})  # fmt: skip
    ran = project.pytest(*RECORD)
    assert "12 passed" in ran.text, ran.text
    return project.root


@pytest.mark.parametrize(
    ("path", "old", "new", "expected"),
    [
        pytest.param("src/shop/table.py", "return 1", "return 2", set(), id="what it does not run"),
        pytest.param("src/shop/table.py", "[total([])]", "[0]", {"help"}, id="what it runs"),
        pytest.param(PRICE, "return 0", "return 1", {"help", "nothing"}, id="what that calls"),
        pytest.param(PRICE, "RATE = 2", "RATE = 3", {"sum"}, id="a name that it does not use"),
        pytest.param("src/shop/table.py", "print(shown())", "print(0)", {"help"}, id="a script"),
        pytest.param(CART, "len(self.items)", "0", {"first", "second"}, id="another module"),
    ],
)
def test_a_python_that_a_test_starts_shows_what_it_runs(
    started: Path, tmp_path: Path, path: str, old: str, new: str, expected: set[str]
) -> None:
    project = copied(started, tmp_path / "project")
    edit(project, path, old, new)
    assert selected(project) == expected
