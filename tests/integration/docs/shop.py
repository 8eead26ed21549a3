"""The little shop of the documents: a repository with a change that its pages speak of."""

from __future__ import annotations

import os
import subprocess
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

IDENTITY = {
    f"GIT_{role}_{key}": value
    for role in ("AUTHOR", "COMMITTER")
    for key, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"))
}
FILES = {
    "shop/__init__.py": "",
    "shop/price.py": '''"""Prices of baskets."""


def total(prices: list[float], discount: float) -> float:
    """Return the sum of the prices, less a discount."""
    if not prices:
        return 0.0
    return round(sum(prices) * (1 - discount), 2)
''',
    "tests/test_price.py": """from shop.price import total


def test_a_discount_is_taken_off():
    assert total([10.0, 10.0], 0.1) == 18.0
""",
    "pyproject.toml": '[tool.pytest.ini_options]\ntestpaths = ["tests"]\npythonpath = ["."]\n',
    "README.md": "# The shop\n",
    ".gitignore": ".aipipe/\n__pycache__/\n.pytest_cache/\n",
}
# A guard is gone, which no test notices; a function came, which no test runs.
EDITED = '''"""Prices of baskets."""


def total(prices: list[float], discount: float) -> float:
    """Return the sum of the prices, less a discount."""
    each = discount * sum(prices) / len(prices)
    return round(sum(prices) - each * len(prices), 2)


def shipping(weight: float) -> float:
    """Return what a parcel costs."""
    if weight > 30:
        raise ValueError("too heavy")
    return 4.9 if weight <= 2 else 9.9
'''


def git(folder: Path, *words: str, stdin: str = "") -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    # Nothing of the machine's own settings, such as signing.
    calm = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(
        ["git", *words],
        cwd=folder,
        env={**clean, **IDENTITY, **calm},
        input=stdin.encode(),
        check=True,
    )


def write(folder: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def commit(folder: Path, message: str) -> None:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", f"--message={message}")


def prepare(folder: Path) -> None:
    """Make a repository of two commits whose edit is staged, and a remote's branch below it."""
    write(folder, {name: text for name, text in FILES.items() if name != "README.md"})
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder, "The shop")
    write(folder, {"README.md": FILES["README.md"]})
    commit(folder, "Say what it is")
    git(folder, "update-ref", "refs/remotes/origin/main", "HEAD")
    write(folder, {"shop/price.py": EDITED})
    git(folder, "add", "--all")


def prepare_past(folder: Path, commits: int = 36, apart: int = 1) -> None:
    """Make a repository of commits some days apart, every third of which mends another."""
    folder.mkdir(parents=True, exist_ok=True)
    git(folder, "init", "--quiet", "--initial-branch=main")
    stream = "".join(_past(commits, apart))
    git(folder, "fast-import", "--quiet", stdin=stream)
    git(folder, "reset", "--quiet", "--hard")


def _past(commits: int, apart: int) -> Iterator[str]:
    start = int(time.time()) - (commits * apart + 24) * 86_400
    for number in range(commits):
        place, kind = divmod(number, 3)
        name, subject, text = (
            (f"part_{place}.py", f"Add part {place}", _part(place)),
            (f"part_{place}.py", f"Fix wrong sum of part {place}", _part(place, wrong=False)),
            (f"page_{place}.md", f"Describe part {place}", f"# Part {place}\n"),
        )[kind]
        when = start + number * apart * 86_400
        yield f"commit refs/heads/main\ncommitter Ada <ada@example.org> {when} +0000\n"
        yield f"data {len(subject)}\n{subject}\nM 100644 inline {name}\ndata {len(text)}\n{text}\n"


def _part(place: int, *, wrong: bool = True) -> str:
    sign = "-" if wrong else "+"
    return f"def part_{place}(one, two):\n    return one {sign} two\n"
