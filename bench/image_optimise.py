"""Real Dockerfiles of public projects, optimised with proof.

    python bench/image_optimise.py [--only NAME]... [--mirrors DIR] [--commits N] [--json FILE]

DIR has a clone of each project below ``owner+name`` (a bare one will do); what is not there is
fetched from its public address. Each Dockerfile is optimised by ``aipipe-build optimise``: every
rewrite that is accepted was built and compared with the original, and run; the last commits of
its context are then built both ways. The base images are made here, under the names that the
Dockerfiles ask for: from the image that ``.ci/provision`` leaves (``python:3.11-slim``), or with
debootstrap from the Debian release whose Python is nearest to the one that is asked for; a name
without ``slim`` gets what Docker's official image of that name has more than the slim one. This
machine's certificates are in all of them. A ``# syntax=`` line is dropped, because it asks a
registry for the builder's own frontend.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from aipipe_build.optimise.rules.slim import slim_name  # noqa: E402 - from the checkout

LOCAL = "python:3.11-slim"
OTHER_NAMES = {LOCAL: "python:3.11-slim-bookworm", "python:3.11": "python:3.11-bookworm"}
"""The same images by another name of theirs: the engine's own of the first stays what it is."""
BASE = "aipipe-bench/python"
UV = "ghcr.io/astral-sh/uv:0.11.16"
CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


@dataclass(frozen=True)
class Case:
    """A Dockerfile of a project at a commit, and what must work in its image."""

    name: str
    repository: str
    commit: str
    context: str
    smoke: str
    bases: tuple[str, ...]
    target: str = ""
    release: str = "bookworm"
    """The Debian whose Python stands in: bullseye's is 3.9, bookworm's 3.11, trixie's 3.13."""


CASES = (
    # Build tools, apt's lists or sources before dependencies in the image that runs.
    Case("flaskweb", "YangjiwooGN/FlaskWeb", "HEAD", ".", "python3 -m flask --version",
         ("python:3.8-slim",)),
    Case("accelerant", "kilianplapp/accelerant", "HEAD", ".",
         "python3 -c 'import flask, pymongo, Crypto' && uwsgi --version", ("python:3.7-slim",)),
    Case("marketplace", "ali95ashraf/Ali-Marketplace", "HEAD", ".",
         "python3 -c 'import flask, pandas, webrtcvad'", (LOCAL,)),
    Case("cloud", "Nexgear75/cloud-computing-project", "HEAD", "backend",
         "python3 -c 'import flask, flask_caching, azure.storage.blob, yaml'", (LOCAL,)),
    Case("maigret", "soxoj/maigret", "f26976f1", ".", "maigret --version", (LOCAL,)),
    Case("bot", "Zymkazhz/TG_BOT", "HEAD", "tg_bot app", "python3 -c 'import aiogram, peewee'",
         ("python:3.10.3",)),
    Case("movies", "sangativamsikrishna/fynd-my-movie", "HEAD", ".",
         "PORT=8000 python3 app.py & sleep 5; python3 -c 'import urllib.request as u; "
         "u.urlopen(\"http://127.0.0.1:8000/\")'", ("python:3.9",), release="bullseye"),
    Case("django-practice", "sidorkinandrew/django", "HEAD", ".", "python3 -c 'import django'",
         ("python:3.8",), release="bullseye"),
    Case("observatory", "mozilla/http-observatory", "HEAD", ".", "python3 -c 'import httpobs'",
         ("python:3.11",)),
    Case("bakerydemo", "wagtail/bakerydemo", "HEAD", ".", "python3 -c 'import wagtail'",
         ("python:3.12-slim", UV), release="trixie"),
    # Well-known examples, most of them tidy already.
    Case("vote", "dockersamples/example-voting-app", "HEAD", "vote", "python -c 'import app'",
         (LOCAL,), "final"),
    Case("catnip", "prakhar1989/docker-curriculum", "6d8dad5", "flask-app",
         "python -c 'import app'", ("python:3.8",)),
    Case("microblog", "miguelgrinberg/microblog", "HEAD", ".", "python -c 'import microblog'",
         ("python:slim",)),
    Case("django", "docker/awesome-compose", "HEAD", "django/app", "python3 -c 'import django'",
         ("python:3.7-alpine",), "builder"),
    Case("flask", "docker/awesome-compose", "HEAD", "flask/app", "python3 -c 'import app'",
         ("python:3.10-alpine",), "builder"),
)  # fmt: skip


def run(*command: str, folder: Path | None = None, **environ: str) -> str:
    """Run a command and return its output; its errors are shown."""
    done = subprocess.run(
        command, cwd=folder, env={**os.environ, **environ}, check=True, text=True,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    return done.stdout


FULL = (
    "autoconf automake bzip2 ca-certificates curl default-libmysqlclient-dev dpkg-dev file g++ gcc "
    "git gnupg imagemagick libbz2-dev libc6-dev libcurl4-openssl-dev libdb-dev libevent-dev "
    "libffi-dev libgdbm-dev libglib2.0-dev libgmp-dev libjpeg-dev libkrb5-dev liblzma-dev "
    "libmagickcore-dev libmagickwand-dev libmaxminddb-dev libncurses5-dev libncursesw5-dev "
    "libpng-dev libpq-dev libreadline-dev libsqlite3-dev libssl-dev libtool libwebp-dev "
    "libxml2-dev libxslt-dev libyaml-dev make mercurial netbase openssh-client patch procps sq "
    "subversion tk-dev unzip uuid-dev wget xz-utils zlib1g-dev"
)
"""What Docker's buildpack-deps installs, on which the official images without ``slim`` stand."""


class Bases:
    """Base images, made when they are first asked for and kept by the engine from then on."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._made: set[str] = set()

    def stand_in(self, name: str, release: str) -> str:
        """Return the image that stands for ``name``."""
        if name == UV:
            return self._make("aipipe-bench/uv", self._uv())
        slim = self._make(f"{BASE}:{release}-slim", self._slim(release))
        if "slim" in name or "alpine" in name:
            return slim
        return self._make(f"{BASE}:{release}", self._full(slim))

    def _make(self, tag: str, text: str) -> str:
        if tag not in self._made:
            (self._folder / "Dockerfile").write_text(text)
            run("docker", "build", "--quiet", "--network=host", "--tag", tag, str(self._folder))
            self._made.add(tag)
        return tag

    def _slim(self, release: str) -> str:
        """Return how to make Debian's Python, with certificates that pip finds.

        As in the official images, apt keeps no package that it has fetched, and Python's headers
        and shared library are there, as plain files.
        """
        (self._folder / "pip.conf").write_text(f"[global]\ncert = {CERTIFICATES}\n")
        shutil.copy(CERTIFICATES, self._folder / "certificates")
        gone = "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"
        (self._folder / "docker-clean").write_text(
            f'DPkg::Post-Invoke {{ "{gone}"; }};\nAPT::Update::Post-Invoke {{ "{gone}"; }};\n'
            'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
        )
        version = {"bullseye": "3.9", "bookworm": "3.11", "trixie": "3.13"}[release]
        headers = (
            f"apt-get update && apt-get install -y --no-install-recommends libpython{version} && "
            f"cd /tmp && apt-get download libpython{version}-dev && "
            f"dpkg -x libpython{version}-dev*.deb headers && cp -r headers/usr/include /usr/ && "
            f"cp -a headers/usr/lib/*-linux-gnu/libpython{version}.so /usr/lib/*-linux-gnu/ && "
            "rm -rf /tmp/* /var/lib/apt/lists/* /var/cache/apt/*.bin"
        )
        return (
            f"{_BOOTSTRAP.format(release=release) if release != 'bookworm' else f'FROM {LOCAL}'}\n"
            f"COPY certificates {CERTIFICATES}\nCOPY pip.conf /etc/pip.conf\n"
            f"COPY docker-clean /etc/apt/apt.conf.d/docker-clean\nRUN {headers}\n"
        )

    def _full(self, slim: str) -> str:
        # A release that lacks one of them does without.
        return (
            f"FROM {slim}\nRUN apt-get update && apt-get install -y --no-install-recommends "
            f"$(apt-cache pkgnames | sort >/tmp/all; for one in {FULL}; do grep -Fx $one /tmp/all; "
            "done) && rm -rf /tmp/all /var/lib/apt/lists/*\n"
        )

    def _uv(self) -> str:
        # The index has the same program in a wheel.
        slim = self._make(f"{BASE}:bookworm-slim", self._slim("bookworm"))
        return (
            f"FROM {slim} AS fetch\nRUN pip install --root=/tmp/uv uv\nRUN mkdir /out && "
            "cp $(find /tmp/uv -type f -name uv) $(find /tmp/uv -type f -name uvx) /out/\n"
            "FROM scratch\nCOPY --from=fetch /out/ /\n"
        )


_BOOTSTRAP = f"""\
FROM {LOCAL} AS make
RUN apt-get update && apt-get install -y --no-install-recommends debootstrap
RUN container=docker debootstrap --variant=minbase \\
      --include=python3,python3-pip,python3-venv,ca-certificates {{release}} /root-of
RUN cd /root-of && ln -sf ../../bin/python3 usr/local/bin/python3 \\
    && ln -sf ../../bin/python3 usr/local/bin/python && ln -sf ../../bin/pip3 usr/local/bin/pip \\
    && rm -rf usr/lib/python3*/EXTERNALLY-MANAGED var/cache/apt/archives/*.deb \\
      var/lib/apt/lists/* usr/share/doc usr/share/man usr/share/locale var/log/*.log
FROM scratch
COPY --from=make /root-of /
ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin
ENV LANG=C.UTF-8
CMD ["python3"]"""


def name_bases(case: Case, bases: Bases) -> None:
    """Give the stand-ins their names; a full image's slim variant gets one, too."""
    for asked in case.bases:
        name = OTHER_NAMES.get(asked, asked)
        run("docker", "tag", bases.stand_in(name, case.release), name)
        slim = slim_name(name)
        if name != UV and slim:
            run("docker", "tag", bases.stand_in(slim, case.release), slim)


def check_out(case: Case, mirrors: Path, folder: Path) -> Path:
    """Clone the project at its commit.

    The line that asks for another frontend goes, and a base may go by another of its names.
    """
    mirror = mirrors / case.repository.replace("/", "+") / "repo"
    source = str(mirror) if mirror.exists() else f"https://github.com/{case.repository}"
    place = folder / case.name
    run("git", "clone", "--quiet", "--no-checkout", source, str(place))
    run("git", "checkout", "--quiet", "--detach", case.commit, folder=place)
    dockerfile = place / case.context / "Dockerfile"
    lines = dockerfile.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.replace(" ", "").startswith("#syntax=")]
    text = "".join(kept)
    for name, other in OTHER_NAMES.items():
        text = re.sub(
            rf"^(FROM\s+){re.escape(name)}(?=\s)", rf"\g<1>{other}", text, flags=re.MULTILINE
        )
    dockerfile.write_text(text)
    return place


def why_not(case: Case, place: Path) -> str:
    """Return why the project's own Dockerfile does not build, "" if it does."""
    target = [f"--target={case.target}"] if case.target else []
    done = subprocess.run(
        ["docker", "build", "--progress=plain", "--network=host", *target, case.context],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not done.returncode:
        return ""
    texts = [_MARK.sub("", line).strip() for line in done.stderr.splitlines()]
    said = [text for text in texts if _WRONG.search(text) and not _VAGUE.search(text)]
    return (said or texts[-1:] or ["it says nothing"])[0].replace("|", "/")[:160]


_MARK = re.compile(r"^#\d+ [\d.]+ ")
_WRONG = re.compile(r"\b(?:error|fatal|cannot|no such)\b", re.IGNORECASE)
_VAGUE = re.compile(
    r"subprocess|install-failure|did not complete|exit(?:ed)? (?:code|with)|-W?error"
)


def optimise(case: Case, place: Path, commits: int, bases: Bases) -> dict[str, Any]:
    """Optimise one Dockerfile and return ``optimise.json``, with the seconds that it took."""
    context = place / case.context
    words = ["--network=host", f"--replay={commits}", "--max-size=0", f"--smoke={case.smoke}"]
    words += [f"--target={case.target}"] if case.target else []
    name_bases(case, bases)
    if reason := why_not(case, place):
        return {"name": case.name, "why_not": reason}
    file = place / "optimise.json"
    started = time.monotonic()
    run(sys.executable, "-m", "aipipe_build.cli", "optimise", *words, f"--json={file}",
        str(context), folder=place, PYTHONPATH=str(ROOT))  # fmt: skip
    document: dict[str, Any] = json.loads(file.read_text())
    return {"name": case.name, "took": time.monotonic() - started, **document}


def line(row: dict[str, Any]) -> str:
    """Return a row of the table."""
    before, after, replay = row["before"]["size"], row["after"]["size"], row["replay"]
    by = {"proven": 0, "refused": 0, "suggestion": 0}
    for proposal in row["proposals"]:
        by[proposal["status"]] += 1
    built = replay or {"commits": 0, "before_seconds": 0.0, "after_seconds": 0.0, "rows": []}
    first, second = built["before_seconds"], built["after_seconds"]
    ran = [sum(one[side]["ran"] for one in built["rows"]) for side in ("before", "after")]
    share = f"{100 * (second - first) / first:+.1f} %" if first else "-"
    proven = ", ".join(p["rule"] for p in row["proposals"] if p["status"] == "proven")
    return (
        f"| {row['name']} | {before / 1e6:.1f} | {after / 1e6:.1f} | "
        f"{100 * (after - before) / before:+.1f} % | {built['commits']} | {first:.1f} | "
        f"{second:.1f} | {share} | {ran[0]} / {ran[1]} | {by['proven']} / {by['refused']} / "
        f"{by['suggestion']} | {proven} |"
    )


def table(rows: list[dict[str, Any]]) -> str:
    """Return the table, and what all cases together come to."""
    head = (
        "| project | MB before | after | size | commits | s before | after | rebuild | "
        "steps run | proven / refused / suggested | rules proven |\n" + "|---" * 11 + "|"
    )
    failed = [row for row in rows if "why_not" in row]
    rows = [row for row in rows if "why_not" not in row]
    lines = [head, *map(line, rows)]
    lines += [f"| {row['name']} | does not build: {row['why_not']} " + "|" * 10 for row in failed]
    replays = [row["replay"] for row in rows if row["replay"] and row["replay"]["commits"]]
    first = sum(one["before_seconds"] for one in replays)
    second = sum(one["after_seconds"] for one in replays)
    sizes = [(row["before"]["size"], row["after"]["size"]) for row in rows]
    small = 100 * (sum(a for _, a in sizes) / max(sum(b for b, _ in sizes), 1) - 1)
    each = statistics.median(100 * (a - b) / b for b, a in sizes) if sizes else 0.0
    lines.append("")
    if first:
        lines.append(f"rebuilds: {first:.1f} s before, {second:.1f} s after "
                     f"({100 * (second - first) / first:+.1f} %)")  # fmt: skip
    lines.append(f"size: {small:+.1f} % over all, {each:+.1f} % in the median")
    return "\n".join(lines)


def main() -> None:
    """Optimise all, or one."""
    parser = argparse.ArgumentParser(description=__doc__)
    names = [case.name for case in CASES]
    parser.add_argument("--only", action="append", choices=names, help="may be given again")
    parser.add_argument("--mirrors", type=Path, default=Path("mirrors"))
    parser.add_argument("--commits", type=int, default=20)
    parser.add_argument("--json", type=Path, help="keep the rows here; those there are kept")
    options = parser.parse_args()
    rows: dict[str, dict[str, Any]] = {}
    if options.json and options.json.exists():
        rows = {row["name"]: row for row in json.loads(options.json.read_text())}
    with tempfile.TemporaryDirectory(prefix="aipipe-bench-") as name:
        folder = Path(name)
        (folder / "base").mkdir()
        bases = Bases(folder / "base")
        for case in CASES:
            if not options.only or case.name in options.only:
                place = check_out(case, options.mirrors, folder)
                rows[case.name] = optimise(case, place, options.commits, bases)
                if options.json:
                    options.json.write_text(json.dumps(list(rows.values()), indent=1))
    print(table(list(rows.values())))


if __name__ == "__main__":
    main()
