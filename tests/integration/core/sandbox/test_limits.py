from __future__ import annotations

import fcntl
import os
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .conftest import Bench


def limits(bench: Bench, **changes: object) -> dict[str, object]:
    return {"limits": replace(bench.policy.limits, **changes)}  # type: ignore[arg-type]


@pytest.mark.parametrize("code", [0, 1, 5, 77])
def test_the_exit_code_passes_through(limited: Bench, code: int) -> None:
    assert limited.python(f"import sys; sys.exit({code})").returncode == code


def test_death_by_a_signal_is_told_as_a_shell_tells_it(limited: Bench) -> None:
    if limited.sandbox.name.startswith("guard"):
        pytest.skip("the guard refuses to send signals")
    assert limited.python("import os; os.kill(os.getpid(), 11)").returncode == 139


def test_a_program_that_does_not_exist_is_127(isolated: Bench) -> None:
    outcome = isolated.start(["/nonexistent/program"])
    assert outcome.returncode == 127
    assert b"/nonexistent/program" in outcome.stderr


def test_output_and_input_pass_through(limited: Bench) -> None:
    outcome = limited.python("import sys; print('out'); print('err', file=sys.stderr)")
    assert (outcome.stdout, outcome.stderr) == (b"out\n", b"err\n")


def test_an_endless_loop_is_ended(limited: Bench) -> None:
    outcome = limited.python("while True: pass", **limits(limited, seconds=0.5))
    assert outcome.timed_out
    assert outcome.returncode != 0


def test_a_program_that_ignores_signals_is_ended_with_its_children(limited: Bench) -> None:
    beat = limited.private / "beat"
    code = (
        "import os, signal, time\n"
        "for s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        "    if os.fork(): os._exit(0)\n"
        f"while True:\n    open({str(beat)!r}, 'a').write('.'); time.sleep(0.02)\n"
    )
    outcome = limited.python(code, **limits(limited, seconds=0.6))
    assert outcome.timed_out
    size = beat.stat().st_size
    assert size
    time.sleep(0.2)
    assert beat.stat().st_size == size


def test_children_that_are_left_behind_end_with_the_program(limited: Bench) -> None:
    beat = limited.private / "beat"
    code = (
        "import os, time\n"
        "if os.fork() == 0:\n"
        "    os.setsid()\n"
        f"    while True:\n        open({str(beat)!r}, 'a').write('.'); time.sleep(0.02)\n"
        f"while not os.path.exists({str(beat)!r}): time.sleep(0.01)\n"
    )
    assert limited.python(code).returncode == 0
    size = beat.stat().st_size
    time.sleep(0.2)
    assert beat.stat().st_size == size


@pytest.fixture
def alone() -> Iterator[None]:
    """Let no other fork bomb of this machine run: each counts the processes that are there."""
    with (Path(tempfile.gettempdir()) / "aipipe-tests-forks.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


@pytest.mark.usefixtures("alone")
def test_a_fork_bomb_is_bounded(limited: Bench) -> None:
    # Bounded by itself too: no generation is deeper than 12, so no more than 4,096 at worst.
    count = limited.private / "count"
    code = (
        "import os, time\n"
        "for _ in range(12):\n"
        "    try:\n"
        "        if os.fork() == 0:\n"
        f"            f = os.open({str(count)!r}, os.O_APPEND | os.O_WRONLY | os.O_CREAT)\n"
        "            os.write(f, b'.'); os.close(f)\n"
        "    except OSError: pass\n"
        "time.sleep(20)\n"
    )
    outcome = limited.python(code, **limits(limited, seconds=15.0))
    made = count.stat().st_size if count.exists() else 0
    assert outcome.returncode != 0
    assert made < 500


@pytest.mark.skipif(not hasattr(os, "sched_getscheduler"), reason="no such call here")
def test_the_precedence_of_the_watch_is_neither_the_program_s_nor_ours(limited: Bench) -> None:
    before = os.sched_getscheduler(0), os.sched_getparam(0).sched_priority
    outcome = limited.python("import os; print(os.sched_getscheduler(0))")
    assert outcome.stdout.split() == [str(os.SCHED_OTHER).encode()]
    assert (os.sched_getscheduler(0), os.sched_getparam(0).sched_priority) == before


def test_memory_is_limited_for_one_process(limited: Bench) -> None:
    outcome = limited.python("x = bytearray(3 << 30); print('got it')")
    assert outcome.returncode == 1
    assert b"MemoryError" in outcome.stderr


def test_memory_is_limited_for_all_processes_together(limited: Bench) -> None:
    code = (
        "import os, time\n"
        "for _ in range(6):\n"
        "    if os.fork() == 0: break\n"
        "x = bytearray(b'x') * (100 << 20)\n"
        "time.sleep(20)\n"
    )
    outcome = limited.python(code, **limits(limited, memory=200 << 20, seconds=15.0))
    assert not outcome.timed_out
    assert outcome.returncode == 137
    assert b"bytes of memory in all processes" in outcome.stderr


def test_the_size_of_a_file_is_limited(limited: Bench) -> None:
    big = limited.private / "big"
    outcome = limited.python(f"f = open({str(big)!r}, 'wb')\nwhile True: f.write(bytes(1 << 20))")
    assert outcome.returncode != 0
    assert big.stat().st_size <= 8 << 20


def test_a_flood_of_output_is_cut(limited: Bench) -> None:
    outcome = limited.python("while True: print('x' * 100_000)")
    assert len(outcome.stdout) <= 8 << 20
    assert outcome.returncode != 0
    assert not outcome.timed_out


def test_open_files_are_limited(limited: Bench) -> None:
    code = "import os; x = [os.open('/dev/null', 0) for _ in range(200)]"
    outcome = limited.python(code, **limits(limited, open_files=64))
    assert outcome.returncode == 1
    assert b"Too many open files" in outcome.stderr


def test_a_run_whose_starter_dies_ends_by_itself(limited: Bench) -> None:
    beat = limited.private / "beat"
    code = f"import time\nwhile True:\n    open({str(beat)!r}, 'a').write('.'); time.sleep(0.02)\n"
    command = limited.sandbox.wrap([sys.executable, "-c", code], limited.policy, limited.project)
    reader, writer = os.pipe()
    starter = os.fork()
    if not starter:
        command.popen()
        while not beat.exists():
            time.sleep(0.01)
        os._exit(0)
    os.close(writer)
    os.close(reader)
    os.waitpid(starter, 0)
    time.sleep(0.3)
    size = beat.stat().st_size
    time.sleep(0.2)
    assert beat.stat().st_size == size
