from __future__ import annotations

import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from .conftest import Bench

TRY = """
import os, sys
def attempt(what):
    try:
        what()
    except OSError as error:
        return type(error).__name__
    return "done"
"""


def test_a_folder_outside_cannot_be_written_to(isolated: Bench) -> None:
    target = isolated.outside / "new"
    isolated.python(f"open({str(target)!r}, 'w').write('x')")
    assert not target.exists()


def test_the_project_cannot_be_changed_removed_or_renamed(isolated: Bench) -> None:
    kept = isolated.project / "kept.py"
    kept.write_text("kept")
    code = TRY + (
        "for act in (lambda: os.remove('kept.py'), lambda: os.rename('kept.py', 'gone.py'),"
        " lambda: open('kept.py', 'a'), lambda: os.truncate('kept.py', 0), lambda: os.mkdir('new'),"
        " lambda: os.symlink('/', 'link'), lambda: os.mkfifo('pipe')):\n"
        "    print(attempt(act))\n"
    )
    outcome = isolated.python(code)
    assert outcome.returncode == 0, outcome.stderr
    assert "done" not in outcome.stdout.decode().split()
    assert kept.read_text() == "kept"
    assert os.listdir(isolated.project) == ["kept.py"]


def test_the_private_folder_can_be_written_to(isolated: Bench) -> None:
    code = "import os; os.makedirs('D/a'); open('D/a/f','w').write('x'); os.rename('D/a/f','D/f')"
    outcome = isolated.python(code.replace("D", str(isolated.private / "made")))
    assert outcome.returncode == 0, outcome.stderr
    assert (isolated.private / "made" / "f").read_text() == "x"


def test_temporary_files_land_in_the_private_folder(isolated: Bench) -> None:
    code = "import tempfile; f = tempfile.NamedTemporaryFile(delete=False); print(f.name)"
    outcome = isolated.python(code)
    assert outcome.stdout.decode().startswith(str(isolated.private / "tmp"))


def test_tmp_and_shared_memory_are_not_those_of_the_machine(isolated: Bench) -> None:
    marks = [Path(f"/{folder}/aipipe-mark-{os.getpid()}") for folder in ("tmp", "dev/shm", "var/tmp")]
    for mark in marks:
        outcome = isolated.python(f"open({str(mark)!r}, 'w').write('x')")
        assert not mark.exists()
        private = "mount" in isolated.sandbox.name or isolated.sandbox.name == "bubblewrap"
        assert (outcome.returncode == 0) is private


def test_locks_between_processes_work_where_shared_memory_is_private(isolated: Bench) -> None:
    if isolated.sandbox.name == "landlock":
        pytest.skip("Landlock alone has no shared memory of its own")
    code = "import multiprocessing as m; l = m.Lock(); l.acquire(); print('held')"
    assert isolated.python(code).stdout == b"held\n"


def test_the_network_of_the_machine_cannot_be_reached(isolated: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        code = TRY + (
            "import socket\n"
            f"print(attempt(lambda: socket.create_connection(('127.0.0.1', {port}), 2)))\n"
            "print(attempt(lambda: socket.create_connection(('192.0.2.1', 80), 2)))\n"
            "u = lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))\n"
            "print(attempt(u))\n"
        )
        said = isolated.python(code).stdout.decode().split()
    assert len(said) == 3
    assert "done" not in said


def test_a_loopback_of_its_own_works_where_there_is_a_network_namespace(isolated: Bench) -> None:
    if isolated.sandbox.name == "landlock":
        pytest.skip("Landlock alone refuses every socket")
    code = (
        "import socket; s = socket.create_server(('127.0.0.1', 0));"
        "c = socket.create_connection(s.getsockname(), 5); a, _ = s.accept();"
        "c.sendall(b'hi'); print(a.recv(2).decode())"
    )
    outcome = isolated.python(code)
    assert outcome.stdout == b"hi\n", outcome.stderr


def test_socket_pairs_work_so_that_asyncio_does(isolated: Bench) -> None:
    code = "import asyncio; print(asyncio.run(asyncio.sleep(0, 'slept')))"
    outcome = isolated.python(code)
    assert outcome.stdout == b"slept\n", outcome.stderr


def test_the_network_can_be_allowed(isolated: Bench) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        code = f"import socket; socket.create_connection({server.getsockname()!r}, 5); print('in')"
        outcome = isolated.python(code, network=True)
    assert outcome.stdout == b"in\n", outcome.stderr


def test_a_daemon_s_socket_cannot_be_reached(isolated: Bench, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "daemon.sock"))
        server.listen()
        code = TRY + (
            "import socket\n"
            f"print(attempt(lambda: socket.socket(socket.AF_UNIX).connect({str(folder / 'daemon.sock')!r})))"
        )
        outcome = isolated.python(code, hidden=(folder,))
    assert b"done" not in outcome.stdout
    assert outcome.returncode == 0, outcome.stderr


def test_hidden_files_and_folders_cannot_be_read(isolated: Bench, tmp_path: Path) -> None:
    home = tmp_path / "home"
    (home / ".ssh").mkdir(parents=True)
    (home / ".ssh" / "id").write_text("private key")
    (home / ".netrc").write_text("password")
    (home / "notes").write_text("harmless")
    code = (
        "import sys\n"
        "for path in sys.argv[1:]:\n"
        "    try:\n"
        "        print(open(path).read() or 'refused')\n"
        "    except OSError:\n"
        "        print('refused')\n"
    )
    outcome = isolated.python(
        code,
        str(home / ".ssh" / "id"),
        str(home / ".netrc"),
        str(home / "notes"),
        hidden=(home / ".ssh", home / ".netrc"),
        readable=(home,),
    )
    assert outcome.stdout.decode().split() == ["refused", "refused", "harmless"], outcome.stderr


def test_what_is_readable_stays_visible_below_what_is_hidden(isolated: Bench, tmp_path: Path) -> None:
    config = tmp_path / "home" / ".config"
    (config / "venv").mkdir(parents=True)
    (config / "token").write_text("secret")
    (config / "venv" / "module.py").write_text("visible")
    code = (
        "import sys, os; print(open(sys.argv[1]).read()); print(os.path.exists(sys.argv[2]) and"
        " os.access(sys.argv[2], os.R_OK) and open(sys.argv[2]).read())"
    )
    outcome = isolated.python(
        code,
        str(config / "venv" / "module.py"),
        str(config / "token"),
        hidden=(config,),
        readable=(config / "venv",),
    )
    assert outcome.stdout.startswith(b"visible")
    assert b"secret" not in outcome.stdout


def test_a_project_that_lies_below_a_hidden_folder_is_still_seen(isolated: Bench) -> None:
    (isolated.project / "here.txt").write_text("seen")
    code = "print(open('here.txt').read())"
    outcome = isolated.python(code, hidden=(isolated.project.parent,))
    assert outcome.stdout == b"seen\n", outcome.stderr


def test_the_secrets_of_this_process_are_not_in_the_environment_or_in_proc(
    isolated: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOME_API_TOKEN", "very-secret")
    code = (
        "import os, glob\n"
        "print(sorted(os.environ))\n"
        "for path in glob.glob('/proc/[0-9]*/environ'):\n"
        "    try:\n"
        "        if b'very-secret' in open(path, 'rb').read(): print('LEAK', path)\n"
        "    except OSError: pass\n"
    )
    outcome = isolated.python(code)
    assert outcome.returncode == 0, outcome.stderr
    assert b"LEAK" not in outcome.stdout
    assert b"SOME_API_TOKEN" not in outcome.stdout


def test_passed_descriptors_work(isolated: Bench) -> None:
    reader, writer = os.pipe()
    with os.fdopen(reader, "rb") as source:
        isolated.python(f"import os; os.write({writer}, b'through')", pass_fds=(writer,))
        os.close(writer)
        assert source.read() == b"through"


def test_output_ends_when_the_program_closes_it(isolated: Bench) -> None:
    reader, writer = os.pipe()
    code = f"import os, time; os.write({writer}, b'x'); os.close({writer}); time.sleep(60)"
    command = isolated.sandbox.wrap([sys.executable, "-c", code], isolated.policy, isolated.project)
    process = command.popen(pass_fds=(writer,))
    os.close(writer)
    try:
        with os.fdopen(reader, "rb") as source:
            assert source.read() == b"x"
        assert process.poll() is None
    finally:
        process.kill()
        process.wait()


def test_no_capability_is_left_even_to_root(isolated: Bench) -> None:
    code = "print([l.split()[1] for l in open('/proc/self/status') if l.startswith('CapEff')])"
    assert isolated.python(code).stdout == b"['0000000000000000']\n"


def test_hidden_folders_cannot_be_uncovered(isolated: Bench, tmp_path: Path) -> None:
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "file").write_text("secret")
    code = (
        "import ctypes, os, sys\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.unshare(0x10020000)\n"
        "libc.umount2(sys.argv[1].encode(), 2)\n"
        "try: print(open(sys.argv[1] + '/file').read())\n"
        "except OSError: print('refused')\n"
    )
    assert isolated.python(code, str(hidden), hidden=(hidden,)).stdout == b"refused\n"


def test_other_processes_cannot_be_killed(isolated: Bench) -> None:
    if isolated.sandbox.name == "landlock" and os.geteuid():
        pytest.skip("signals are scoped from Landlock's sixth version on only")
    import subprocess

    with subprocess.Popen(["sleep", "30"]) as victim:
        try:
            isolated.python(f"import os\ntry: os.kill({victim.pid}, 9)\nexcept OSError: pass")
            assert victim.poll() is None
        finally:
            victim.kill()
