"""Real Dockerfiles of public projects, optimised with proof.

    python bench/image_optimise.py [--only NAME]... [--mirrors DIR] [--commits N] [--json FILE]

DIR has a clone of each project below ``owner+name`` (a bare one will do); what is not there is
fetched from its public address. Each Dockerfile is optimised by ``aipipe-build optimise``: every
rewrite that is accepted was built and compared with the original, and run; the last commits of
its context are then built both ways. The base images are made here, under the names that the
Dockerfiles ask for, from the image that ``.ci/provision`` leaves (``python:3.11-slim``), with
this machine's certificates; a ``# syntax=`` line is dropped, because it asks a registry for the
builder's own frontend.
"""

from __future__ import annotations

import argparse
import json
import os
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
LOCAL = "python:3.11-slim"
BASE = "aipipe-bench/python"
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
    Case("movies", "sangativamsikrishna/fynd-my-movie", "HEAD", ".", "python3 -c 'import app'",
         ("python:3.9",)),
    Case("django-practice", "sidorkinandrew/django", "HEAD", ".", "python3 -c 'import django'",
         ("python:3.8",)),
    Case("observatory", "mozilla/http-observatory", "HEAD", ".", "python3 -c 'import httpobs'",
         ("python:3.11",)),
    Case("bakerydemo", "wagtail/bakerydemo", "HEAD", ".", "python3 -c 'import wagtail'",
         ("python:3.12-slim",)),
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


def make_base(folder: Path) -> None:
    """Make the base image: Debian's Python, with certificates that pip finds.

    As in the official images, apt keeps no package that it has fetched.
    """
    (folder / "pip.conf").write_text(f"[global]\ncert = {CERTIFICATES}\n")
    shutil.copy(CERTIFICATES, folder / "certificates")
    gone = "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"
    (folder / "docker-clean").write_text(
        f'DPkg::Post-Invoke {{ "{gone}"; }};\nAPT::Update::Post-Invoke {{ "{gone}"; }};\n'
        'Dir::Cache::pkgcache "";\nDir::Cache::srcpkgcache "";\n'
    )
    # The official images have Python's headers, as plain files.
    headers = (
        "apt-get update && cd /tmp && apt-get download libpython3.11-dev && "
        "dpkg -x libpython3.11-dev*.deb headers && cp -r headers/usr/include /usr/ && "
        "rm -rf /tmp/* /var/lib/apt/lists/* /var/cache/apt/*.bin"
    )
    (folder / "Dockerfile").write_text(
        f"FROM {LOCAL}\nRUN {headers}\n"
        f"COPY certificates {CERTIFICATES}\nCOPY pip.conf /etc/pip.conf\n"
        "COPY docker-clean /etc/apt/apt.conf.d/docker-clean\n"
    )
    run("docker", "build", "--quiet", "--network=host", "--tag", BASE, str(folder))


def check_out(case: Case, mirrors: Path, folder: Path) -> Path:
    """Clone the project at its commit, and drop the line that asks for another frontend."""
    mirror = mirrors / case.repository.replace("/", "+") / "repo"
    source = str(mirror) if mirror.exists() else f"https://github.com/{case.repository}"
    place = folder / case.name
    run("git", "clone", "--quiet", "--no-checkout", source, str(place))
    run("git", "checkout", "--quiet", "--detach", case.commit, folder=place)
    dockerfile = place / case.context / "Dockerfile"
    lines = dockerfile.read_text().splitlines(keepends=True)
    kept = [line for line in lines if not line.replace(" ", "").startswith("#syntax=")]
    dockerfile.write_text("".join(kept))
    return place


def why_not(case: Case, words: list[str], place: Path) -> str:
    """Return why the project's own Dockerfile does not build, "" if it does."""
    target = [f"--target={case.target}"] if case.target else []
    bases = [word for word in words if word.startswith("--build-context")]
    done = subprocess.run(
        ["docker", "build", "--quiet", "--network=host", *target, *bases, case.context],
        cwd=place, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if not done.returncode:
        return ""
    said = [line.strip() for line in done.stderr.splitlines() if "rror" in line]
    return (said or ["it says nothing"])[0][:160]


def optimise(case: Case, place: Path, commits: int) -> dict[str, Any]:
    """Optimise one Dockerfile and return ``optimise.json``, with the seconds that it took."""
    context = place / case.context
    words = ["--network=host", f"--replay={commits}", "--max-size=0", f"--smoke={case.smoke}"]
    words += [f"--target={case.target}"] if case.target else []
    for name in case.bases:
        # The engine's own image of that name stays what it is.
        if name == LOCAL:
            words.append(f"--build-context={name}=docker-image://{BASE}")
        else:
            run("docker", "tag", BASE, name)
    if reason := why_not(case, words, place):
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
        make_base(folder / "base")
        for case in CASES:
            if not options.only or case.name in options.only:
                place = check_out(case, options.mirrors, folder)
                rows[case.name] = optimise(case, place, options.commits)
                if options.json:
                    options.json.write_text(json.dumps(list(rows.values()), indent=1))
    print(table(list(rows.values())))


if __name__ == "__main__":
    main()
