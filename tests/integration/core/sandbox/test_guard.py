"""The guard is best effort: this is the effort."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from aipipe_core.sandbox.guard import Guard

from .conftest import Bench, make_bench

if TYPE_CHECKING:
    from pathlib import Path

REFUSED = {
    "write outside": "open(outside + '/new', 'w')",
    "append outside": "open(outside + '/kept', 'a')",
    "low-level open": "os.open(outside + '/new', os.O_WRONLY | os.O_CREAT)",
    "remove": "os.remove(outside + '/kept')",
    "rename away": "os.rename(outside + '/kept', private + '/kept')",
    "make a folder": "os.mkdir(outside + '/new')",
    "remove a tree": "shutil.rmtree(outside)",
    "link": "os.symlink(outside, outside + '/link')",
    "read a secret": "open(hidden + '/secret')",
    "list a secret folder": "os.listdir(hidden)",
    "connect": "socket.create_connection(('127.0.0.1', 9), 1)",
    "bind": "socket.create_server(('127.0.0.1', 0))",
    "resolve": "socket.getaddrinfo('localhost', 80)",
    "start a program": "subprocess.run(['true'])",
    "shell": "os.system('true')",
    "replace itself": "os.execv('/bin/true', ['true'])",
    "kill": "os.kill(os.getppid(), 9)",
    "foreign functions": "ctypes.CDLL(None)",
    "functions of this process": "ctypes.pythonapi.system",
    "memory by its address": "ctypes.c_int.from_address(id(None))",
}


@pytest.fixture
def guarded(tmp_path: Path) -> Bench:
    bench = make_bench(Guard(), tmp_path)
    (bench.outside / "kept").write_text("kept")
    (tmp_path / "hidden").mkdir()
    (tmp_path / "hidden" / "secret").write_text("secret")
    return bench


def test_what_a_sandbox_refuses_the_guard_refuses(guarded: Bench) -> None:
    hidden = guarded.project.parent / "hidden"
    code = (
        "import ctypes, os, shutil, socket, subprocess, sys\n"
        "outside, private, hidden = sys.argv[1:]\n"
        f"for name, act in {REFUSED!r}.items():\n"
        "    try:\n"
        "        eval(act)\n"
        "    except PermissionError:\n"
        "        pass\n"
        "    except Exception as error:\n"
        "        print(name, repr(error))\n"
        "    else:\n"
        "        print(name, 'was allowed')\n"
    )
    outcome = guarded.python(
        code, str(guarded.outside), str(guarded.private), str(hidden), hidden=(hidden,)
    )
    assert outcome.stdout == b"", outcome.stderr
    assert (guarded.outside / "kept").read_text() == "kept"


def test_what_a_test_needs_is_let_through(guarded: Bench) -> None:
    code = (
        "import os, tempfile, json, asyncio, unittest, sqlite3\n"
        "p = tempfile.mkdtemp(); f = os.path.join(p, 'x'); open(f, 'w').write('1'); os.remove(f)\n"
        "sqlite3.connect(':memory:').close(); sqlite3.connect(os.path.join(p, 'db')).close()\n"
        "open(os.devnull, 'w').write('x'); print(__name__, open('/etc/hostname').readable())\n"
    )
    outcome = guarded.python(code)
    assert outcome.stdout == b"__main__ True\n", outcome.stderr


def test_a_module_and_a_script_run_as_python_would_run_them(guarded: Bench) -> None:
    (guarded.project / "mod.py").write_text(
        "import sys; print(__name__, sys.argv[1:], sys.path[0])"
    )
    by_module = guarded.start([sys.executable, "-m", "mod", "a"])
    assert by_module.stdout.decode().split() == ["__main__", "['a']", str(guarded.project)]
    by_path = guarded.start([sys.executable, str(guarded.project / "mod.py"), "a"])
    assert by_path.stdout == by_module.stdout


def test_pytest_runs_under_the_guard(guarded: Bench) -> None:
    (guarded.project / "test_it.py").write_text(
        "def test_it(tmp_path):\n    (tmp_path / 'f').write_text('x')\n    assert 1 + 1 == 2\n"
    )
    outcome = guarded.start(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-p",
            "no:cacheprovider",
            "-p",
            "no:aipipe",
            "-p",
            "no:rerunfailures",
            "test_it.py",
        ]
    )
    assert b"1 passed" in outcome.stdout, outcome.stdout + outcome.stderr


def test_what_is_no_python_is_refused(guarded: Bench) -> None:
    outcome = guarded.start(["/bin/true"])
    assert outcome.returncode == 126
    assert b"cannot be guarded" in outcome.stderr
