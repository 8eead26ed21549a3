"""How long it takes to decide for a big suite whose map is warm.

    python bench/selection_speed.py [--tests 5000] [--files 500] [--each 12] [--runs 5]

A project of so many files of 200 lines is written to a temporary folder with a map in which
each test ran functions of so many of them. Then one function of a file that all tests ran is
changed, and the whole decision is timed as a session makes it: walking the project, reading
and hashing its files, opening the store, reading the map, comparing, asking who ran what, and
the order. What is imported first (SQLAlchemy above all) is not in it.
"""

from __future__ import annotations

import argparse
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

PROJECT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(PROJECT))

from aipipe_core.change.reader import read_change  # noqa: E402
from aipipe_core.store import open_store  # noqa: E402
from aipipe_core.store.packing import pack_lines  # noqa: E402
from pytest_aipipe.select.installed import installed  # noqa: E402
from pytest_aipipe.select.order import ordered  # noqa: E402
from pytest_aipipe.select.testmap import Fresh, Known, TestMap, digest_of  # noqa: E402
from pytest_aipipe.select.watch import Project  # noqa: E402
from pytest_aipipe.session.selecting import plan, remember_imports  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

FUNCTION = "def f{0}(a):\n    if a:\n        return a + {0}\n    b = a\n    return b\n\n\n"


class Item:
    """What the decision asks of a collected test: one without marks, fixtures or a class."""

    cls = None
    fixturenames: tuple[str, ...] = ()
    config = SimpleNamespace(pluginmanager=SimpleNamespace(hasplugin=lambda _: True))

    def __init__(self, nodeid: str, path: Path) -> None:
        self.nodeid, self.path = nodeid, path

    def iter_markers(self, _name: str) -> Iterator[pytest.Mark]:
        """Yield nothing."""
        return iter(())

    def get_closest_marker(self, _name: str) -> None:
        """Return None."""


def make(root: Path, asked: argparse.Namespace) -> list[Item]:
    """Write the project and its map; return its tests, as items of pytest."""
    source = "".join(FUNCTION.format(n) for n in range(28))
    for n in range(asked.files):
        place = root / "src" / f"pkg{n % 20}" / f"m{n}.py"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"NUMBER = {n}\n{source}")
    a_file, tests, fresh = asked.tests // 50, [], Fresh()
    spread = random.Random(1)
    for n in range(asked.tests):
        path = f"tests/test_{n // a_file}.py"
        (root / "tests").mkdir(exist_ok=True)
        (root / path).touch()
        nodeid = f"{path}::test_{n}"
        tests.append(Item(nodeid, root / path))
        ran = [0, *spread.sample(range(1, asked.files), asked.each - 1)]
        fresh.tests[nodeid] = Known("pppp", 0.01)
        fresh.ran[nodeid] = {
            f"src/pkg{m % 20}/m{m}.py": (
                pack_lines(spread.sample(range(2, 198), 40)),
                pack_lines(spread.sample(range(2, 198, 7), 8)),
            )
            for m in ran
        }
    texts = {
        path: (root / path).read_bytes() for path in {p for r in fresh.ran.values() for p in r}
    }
    with open_store(root / ".aipipe" / "store.db") as store:
        sources = {path: (digest_of(text), text) for path, text in texts.items()}
        env = installed(Project(str(root)).path_of).environment
        TestMap(store, env).write(fresh, sources)
    remember_imports(host(root), sources)
    return tests


def host(root: Path) -> SimpleNamespace:
    """Return what the decision asks of a session."""
    config = SimpleNamespace(
        rootpath=root,
        args=[],
        pluginmanager=SimpleNamespace(get_plugins=list),
        invocation_params=SimpleNamespace(dir=root),
    )
    run = SimpleNamespace(change=read_change(root, "worktree"), note=print)
    return SimpleNamespace(config=config, run=run, collects_only=False)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tests", type=int, default=5000)
    parser.add_argument("--files", type=int, default=500)
    parser.add_argument("--each", type=int, default=12, help="files that a test runs")
    parser.add_argument("--runs", type=int, default=5)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder).resolve()
        git = ["git", "-c", "user.name=b", "-c", "user.email=b@example.org", "-C", str(root)]
        subprocess.run([*git, "init", "-q"], check=True)
        tests = make(root, asked)
        subprocess.run([*git, "add", "-A"], check=True)
        subprocess.run([*git, "commit", "-q", "-m", "x"], check=True)
        changed = root / "src/pkg0/m0.py"
        changed.write_text(changed.read_text().replace("return a + 3\n", "return a - 3\n"))
        wall, processor = [], []
        for _ in range(asked.runs):
            session = host(root)
            start = time.perf_counter(), time.process_time()
            made = plan(session, tests)
            order = ordered(list(made.selection.reasons), made.known, made.found)
            wall.append(1000 * (time.perf_counter() - start[0]))
            processor.append(1000 * (time.process_time() - start[1]))
        print(
            f"{asked.tests} tests, {asked.files} files, {asked.each} files a test: "
            f"{len(order)} selected; decision median {statistics.median(wall):.0f} ms "
            f"(processor {statistics.median(processor):.0f} ms), best {min(wall):.0f} ms"
        )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
