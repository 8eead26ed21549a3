"""Bad input: a clear message, the right exit code, and never a wrong key on record."""

from __future__ import annotations

import os
import resource
import stat
import subprocess
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aipipe_build.cli import main

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[3]
NOBODY = 65534


class Place:
    """A context, and a working folder outside of it."""

    def __init__(self, root: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.context = root / "context"
        self.work = root / "work"
        self.capsys = capsys

    def write(self, name: str, text: str | bytes) -> Path:
        path = self.context / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def run(self, command: str, *words: str) -> tuple[int, str]:
        code = main([command, *words, "--no-engine", str(self.context)])
        return code, self.capsys.readouterr().err

    def refused(self, slug: str) -> str:
        code, err = self.run("record")
        assert code in (2, 3), err
        assert slug in err
        assert len(err.strip().splitlines()) == 1
        assert not list(self.work.rglob("default.json"))
        return err


@pytest.fixture
def place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Place:
    made = Place(tmp_path, capsys)
    made.context.mkdir()
    made.work.mkdir()
    monkeypatch.chdir(made.work)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    made.write("a", "one")
    made.write("Dockerfile", "FROM base\nCOPY . /app\n")
    return made


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "no instructions"),
        ("# only a comment\n", "no instructions"),
        ("RUN echo\n", "stands before any build stage"),
        ("FROM a\nCOPPY x /\n", "Did you mean COPY"),
        ("FROM a\nCOPY x\n", "at least two arguments"),
        ("FROM a\nCOPY --chmodd=1 x /\n", "unknown flag"),
        ("FROM a\nCOPY --link=maybe x /\n", "boolean"),
        ("FROM a\nRUN <<EOF\necho\n", "unterminated heredoc"),
        ("FROM a\nENV A\n", "two arguments"),
        ("FROM a\nENV =x\n", "names can not be blank"),
        ("FROM a AS 1x\n", "invalid name for build stage"),
        ("FROM a as x y\n", "one or three"),
        ("FROM a\nCOPY f${ /\n", "bad substitution|missing"),
        ("FROM a\nCOPY f${X:?needed} /\n", "needed"),
        ("FROM a\nRUN --mount=type=nope,target=/x ls\n", "unsupported mount type"),
        ("FROM a\nRUN --mount=type=bind,from=$X,target=/x ls\n", "variable expansion"),
        ("FROM a\nRUN --network=moon ls\n", "unsupported network"),
        ("FROM a\nSHELL /bin/sh\n", "JSON"),
        ("FROM a\nONBUILD FROM b\n", "isn't allowed"),
        ("# escape=x\nFROM a\n", "invalid escape"),
        ("FROM a\nCOPY --from=7 /a /\n", "invalid stage index"),
        ("FROM a\nADD https://x.invalid/f /\nCOPY http://x.invalid/f /\n", "URL"),
    ],
)
def test_a_malformed_dockerfile_is_refused_with_its_line(
    place: Place, text: str, says: str
) -> None:
    place.write("Dockerfile", text)
    err = place.refused("dockerfile-malformed")
    assert any(one in err for one in says.split("|")), err


def test_bytes_that_are_no_text_do_no_harm(place: Place) -> None:
    place.write("Dockerfile", b"FROM base\nRUN echo \xff\xfe\nCOPY a /\n")
    assert place.run("record")[0] == 0
    assert place.run("predict")[0] == 0


@pytest.mark.parametrize("source", ["nowhere", "no/where", "d/../nowhere", "a/b"])
def test_a_missing_source_is_named(place: Place, source: str) -> None:
    place.write("Dockerfile", f"FROM base\nCOPY {source} /\n")
    place.refused("copy-source-missing")


def test_a_source_that_the_ignore_file_hides_is_missing(place: Place) -> None:
    place.write(".dockerignore", "a\n")
    place.write("Dockerfile", "FROM base\nCOPY a /\n")
    assert ".dockerignore" in place.refused("copy-source-missing")


@pytest.mark.parametrize(
    "text",
    [
        "FROM a AS x\nCOPY --from=x /f /\n",
        "FROM a AS x\nCOPY --from=y /f /\nFROM a AS y\nRUN --mount=from=x,target=/m ls\n",
        "FROM a AS x\nCOPY --from=z /f /\nFROM x AS y\nRUN ls\nFROM y AS z\nRUN ls\n",
    ],
)
def test_stages_that_need_each_other_are_refused(place: Place, text: str) -> None:
    place.write("Dockerfile", text)
    place.refused("circular")


@contextmanager
def as_nobody() -> Iterator[None]:
    """Lose root's leave to read everything for a moment."""
    if os.geteuid():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_what_cannot_be_read_is_named(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # Not under tmp_path, whose parents are closed to others.
    with tempfile.TemporaryDirectory(prefix="aipipe-unreadable-") as name:
        place = Place(Path(name), capsys)
        place.context.mkdir()
        place.work.mkdir()
        place.write("Dockerfile", "FROM base\nCOPY . /app\n")
        closed = place.write("d/secret", "x") if kind == "file" else place.context / "d"
        closed.parent.mkdir(exist_ok=True)
        closed.mkdir(exist_ok=True) if kind == "folder" else None
        closed.chmod(0)
        Path(name).chmod(0o755)
        place.work.chmod(0o777)
        monkeypatch.chdir(place.work)
        monkeypatch.setenv("XDG_STATE_HOME", f"{name}/state")
        with as_nobody():
            err = place.refused("context-unreadable")
        assert "d" in err
        assert ".dockerignore" in err
        closed.chmod(stat.S_IRWXU)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make devices")
def test_devices_are_keyed_by_their_numbers(place: Place) -> None:
    device = place.context / "null"
    os.mknod(device, 0o644 | stat.S_IFCHR, os.makedev(1, 3))
    assert place.run("record")[0] == 0
    assert main(["decide", "--no-engine", str(place.context)]) == 0
    assert place.capsys.readouterr().out.startswith("skip")
    device.unlink()
    os.mknod(device, 0o644 | stat.S_IFCHR, os.makedev(1, 5))
    main(["predict", "--no-engine", str(place.context)])
    assert "null changed" in place.capsys.readouterr().out


@pytest.mark.parametrize("links", [{"l": "l"}, {"l": "m", "m": "l"}, {"l": "d/../m", "m": "/l"}])
def test_links_that_never_end_are_refused_where_they_are_followed(
    place: Place, links: dict[str, str]
) -> None:
    (place.context / "d").mkdir()
    for name, target in links.items():
        (place.context / name).symlink_to(target)
    assert place.run("record")[0] == 0  # inside a copied folder their text counts
    place.write("Dockerfile", "FROM base\nCOPY l /\n")
    code, err = place.run("predict")
    assert code == 2
    assert "context-link-loop" in err


def test_a_context_outside_the_repository_is_recorded_in_the_repository(place: Place) -> None:
    subprocess.run(["git", "init", "-q", str(place.work)], check=True)
    before = sorted(place.context.rglob("*"))
    assert place.run("record")[0] == 0
    assert sorted(place.context.rglob("*")) == before
    assert (place.work / ".aipipe" / "build" / "default.json").is_file()
    assert (place.work / ".aipipe" / ".gitignore").read_text() == "*\n"


@pytest.mark.parametrize("name", ["nowhere", "a"])
def test_a_context_that_is_no_folder_is_refused(place: Place, name: str) -> None:
    code = main(["record", "--no-engine", str(place.context / name)])
    assert code == 2
    assert "context-missing" in place.capsys.readouterr().err


def test_a_full_disk_leaves_the_old_record_whole(place: Place) -> None:
    assert place.run("record")[0] == 0
    record = place.work / ".aipipe" / "build" / "default.json"
    before = record.read_bytes()
    place.write("a", "another")

    def little_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (64, 64))

    # The signal is ignored by the interpreter: the write fails as on a full disk.
    done = subprocess.run(
        [sys.executable, "-m", "aipipe_build.cli", "record", "--no-engine", str(place.context)],
        cwd=place.work,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        preexec_fn=little_room,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    assert "record-unwritable" in done.stderr
    assert record.read_bytes() == before
    assert not list(record.parent.glob("default.json?*"))


def test_an_engine_that_answers_nonsense_is_as_good_as_none(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    import http.server
    import threading

    class Nonsense(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>")

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Nonsense) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("DOCKER_HOST", f"tcp://127.0.0.1:{server.server_port}")
        assert main(["record", str(place.context)]) == 0
        assert main(["predict", str(place.context)]) == 0
        server.shutdown()


def test_a_run_without_a_docker_client_says_so(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(place.work))
    code = main(["run", str(place.context)])
    assert code == 3
    assert "docker-missing" in place.capsys.readouterr().err
