"""The scan gate's table: what it must block, let pass, and refuse to answer.

    python bench/image_scan.py [--json FILE]

Every row is a folder of its own with requirement files, advisories (in a folder, a zip, or
behind a real HTTP server on loopback that may misbehave) and the exit code that the gate has to
end with: 0 it passes, 1 the answer is no, 2 the request is wrong, 3 nobody answered.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import http.server
import io
import json
import os
import socket
import tempfile
import threading
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from aipipe_build.cli import main as aipipe_build

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TODAY = dt.datetime.now(dt.UTC)
CRITICAL = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"
MEDIUM = "CVSS:3.1/AV:N/AC:L/PR:L/UI:R/S:U/C:L/I:L/A:N"


def advisory(identity: str = "GHSA-1", name: str = "alpha", **more: Any) -> dict[str, Any]:
    """Return an advisory for versions below 2.0; ``more`` replaces its fields."""
    events = more.pop("events", [{"introduced": "0"}, {"fixed": "2.0"}])
    affected = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": events}],
    }
    document = {
        "id": identity,
        "modified": TODAY.isoformat(),
        "severity": [{"type": "CVSS_V3", "score": CRITICAL}],
        "affected": [affected],
        **more,
    }
    return {key: value for key, value in document.items() if value is not None}


def days_ago(days: int) -> str:
    """Return the time of so many days ago."""
    return (TODAY - dt.timedelta(days=days)).isoformat()


@dataclass(frozen=True)
class Row:
    """One case. ``files`` are written first; ``serve`` starts a server whose address is used."""

    name: str
    code: int
    rule: str
    requirements: str = "alpha==1.0\n"
    advisories: tuple[Any, ...] | None = (advisory(),)
    files: dict[str, str] = field(default_factory=dict)
    words: tuple[str, ...] = ()
    config: str = ""
    serve: Callable[[str, dict[str, Any]], tuple[int, bytes]] | None = None
    withheld: int = 0
    """Bytes that the server promises and does not send."""


def affected(**more: Any) -> tuple[dict[str, Any], ...]:
    """Return an advisory whose one package entry is changed."""
    base = advisory()
    return ({**base, "affected": [{**base["affected"][0], **more}]},)


def answers(vulnerable: bool) -> Callable[[str, dict[str, Any]], tuple[int, bytes]]:
    """Return a service that knows one vulnerability, or none."""

    def answer(path: str, body: dict[str, Any]) -> tuple[int, bytes]:
        if path == "/v1/querybatch":
            found = {"vulns": [{"id": "GHSA-1"}]} if vulnerable else {}
            return 200, json.dumps({"results": [found for _ in body["queries"]]}).encode()
        return 200, json.dumps(advisory()).encode()

    return answer


def pages(path: str, body: dict[str, Any]) -> tuple[int, bytes]:
    """Tell the vulnerability on the second page only."""
    if path != "/v1/querybatch":
        return 200, json.dumps(advisory()).encode()
    rows = [
        {"vulns": [{"id": "GHSA-1"}]} if "page_token" in query else {"next_page_token": "two"}
        for query in body["queries"]
    ]
    return 200, json.dumps({"results": rows}).encode()


def ignoring(days: int, identity: str = "GHSA-1", reason: str = "not reachable") -> str:
    """Return a configuration that ignores an advisory for so many days from now."""
    until = (TODAY + dt.timedelta(days=days)).date()
    return f'[[build.ignore]]\nid = "{identity}"\nreason = "{reason}"\nuntil = {until}\n'


PASS = advisory(name="beta")
ROWS = (
    Row("a vulnerable version", 1, "vulnerable-package"),
    Row("the version that mends it", 0, "", "alpha==2.0\n"),
    Row("a later version", 0, "", "alpha==2.0.post1\n"),
    Row("a release candidate of the mended version", 1, "vulnerable-package", "alpha==2.0rc1\n"),
    Row("a name that is spelled otherwise", 1, "vulnerable-package", "Alpha==1.0\n"),
    Row("a package that nothing is known of", 0, "", "gamma==1.0\n"),
    Row("last affected is affected", 1, "vulnerable-package", "alpha==1.5\n",
        (advisory(events=[{"introduced": "1.0"}, {"last_affected": "1.5"}]),)),
    Row("behind the last affected", 0, "", "alpha==1.5.1\n",
        (advisory(events=[{"introduced": "1.0"}, {"last_affected": "1.5"}]),)),
    Row("before it was introduced", 0, "", "alpha==0.9\n",
        (advisory(events=[{"introduced": "1.0"}, {"fixed": "2.0"}]),)),
    Row("introduced a second time", 1, "vulnerable-package", "alpha==3.1\n",
        (advisory(events=[{"introduced": "0"}, {"fixed": "2.0"}, {"introduced": "3.0"}]),)),
    Row("listed by its version alone", 1, "vulnerable-package", "alpha==1.0.0\n",
        affected(ranges=[], versions=["1.0"])),
    Row("not among the listed versions", 0, "", "alpha==1.2\n",
        affected(ranges=[], versions=["1.0"])),
    Row("withdrawn", 0, "", advisories=(advisory(withdrawn=days_ago(1)),)),
    Row("below the threshold", 0, "vulnerable-package",
        advisories=(advisory(severity=[{"type": "CVSS_V3", "score": MEDIUM}]),)),
    Row("the same with a lower threshold", 1, "vulnerable-package", words=("--severity=medium",),
        advisories=(advisory(severity=[{"type": "CVSS_V3", "score": MEDIUM}]),)),
    Row("no severity counts as grave", 1, "vulnerable-package",
        advisories=(advisory(severity=None),)),
    Row("the severity in the database's own word", 0, "vulnerable-package",
        advisories=(advisory(severity=None, database_specific={"severity": "LOW"}),)),
    Row("an alias that knows the severity", 0, "vulnerable-package",
        advisories=(advisory(severity=None, aliases=["CVE-1"]),
                    advisory("PYSEC-1", aliases=["CVE-1"], severity=None,
                             database_specific={"severity": "LOW"}))),
    Row("ignored with a reason and a day", 0, "vulnerable-package", config=ignoring(3)),
    Row("ignored by its alias", 0, "vulnerable-package", config=ignoring(3, "CVE-1"),
        advisories=(advisory(aliases=["CVE-1"]),)),
    Row("ignored until yesterday", 1, "vulnerable-package", config=ignoring(-1)),
    Row("ignored without a reason", 2, "wrong-setting", config=ignoring(3, reason="")),
    Row("another one ignored", 1, "vulnerable-package", config=ignoring(3, "GHSA-2")),
    Row("a package without a version", 1, "package-without-version", "gamma\n"),
    Row("a package with a range of versions", 1, "package-without-version", "gamma>=1,<2\n"),
    Row("a package from an address", 1, "package-without-version",
        "gamma @ https://example.org/gamma.zip\n"),
    Row("a version that nobody can order", 1, "vulnerable-package", "alpha===strange\n"),
    Row("an empty folder of advisories", 1, "advisories-empty", advisories=()),
    Row("no such folder", 1, "advisories-empty", advisories=None),
    Row("advisories of another ecosystem only", 1, "advisories-empty",
        advisories=affected(package={"ecosystem": "npm", "name": "alpha"})),
    Row("stale advisories", 1, "advisories-stale", "gamma==1.0\n",
        (advisory(modified=days_ago(30)),)),
    Row("stale, and allowed to be", 0, "", "gamma==1.0\n",
        (advisory(modified=days_ago(30)),), words=("--max-age-days=60",)),
    Row("advisories of no known age", 1, "advisories-stale", "gamma==1.0\n",
        (advisory(modified=None),)),
    Row("an advisory that is no JSON", 1, "advisory-malformed", advisories=(PASS, "{")),
    Row("an advisory without a package", 1, "advisory-malformed",
        advisories=(PASS, {**PASS, "id": "GHSA-2", "affected": [{}]})),
    Row("an event without a version", 1, "advisory-malformed",
        advisories=(PASS, advisory(events=[{"introduced": "0"}, {"fixed": None}]))),
    Row("a hole in what is not installed", 0, "",
        advisories=(PASS, advisory(name="delta", events=[{"fixed": 3}]))),
    Row("only commits say what is affected", 1, "vulnerable-package",
        advisories=(PASS, *affected(ranges=[{"type": "GIT", "events": []}]))),
    Row("a file that is no zip", 1, "advisory-malformed", files={"advisories/all.zip": "no"}),
    Row("no source is named", 2, "advisories-none", words=("--advisories=",)),
    Row("nothing to scan", 2, "scan-nothing-named", ""),
    Row("a requirement file of comments", 1, "nothing-to-scan", "# nothing\n"),
    Row("a lock file", 1, "vulnerable-package", "",
        files={"uv.lock": '[[package]]\nname = "alpha"\nversion = "1.0"\n'}),
    Row("a lock file that cannot be read", 2, "requirements-unreadable", "",
        files={"poetry.lock": "[[["}),
    Row("a service that knows of it", 1, "vulnerable-package", serve=answers(vulnerable=True)),
    Row("a service that knows of nothing", 0, "", serve=answers(vulnerable=False)),
    Row("a service with a second page", 1, "vulnerable-package", serve=pages),
    Row("a service that fails", 3, "advisories-unreachable", serve=lambda *_: (500, b"")),
    Row("a service that refuses", 3, "advisories-unreachable", serve=lambda *_: (403, b"")),
    Row("a service that answers with a page", 3, "advisories-unreachable",
        serve=lambda *_: (200, b"<html>")),
    Row("a service that answers with nothing", 3, "advisories-unreachable",
        serve=lambda *_: (200, b"{}")),
    Row("a service that breaks off", 3, "advisories-unreachable",
        serve=lambda *_: (200, b'{"results": ['), withheld=99),
    Row("a service that leaves a question out", 3, "advisories-unreachable",
        serve=lambda *_: (200, b'{"results": []}')),
    Row("a service that is not there", 3, "advisories-unreachable", words=("--advisories=dead",)),
    Row("the service down, the folder blocks", 1, "vulnerable-package",
        words=("--advisories=advisories", "--advisories=dead")),
    Row("the service down, the folder clean", 3, "advisories-unreachable", "gamma==1.0\n",
        words=("--advisories=advisories", "--advisories=dead")),
)  # fmt: skip


@contextlib.contextmanager
def serving(row: Row) -> Iterator[str]:
    """Serve a row's answers; the address of a closed port where it has none."""
    if row.serve is None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        yield f"http://127.0.0.1:{port}"
        return

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers.get("Content-Length", 0))
            self._answer(json.loads(self.rfile.read(size) or b"{}"))

        def do_GET(self) -> None:
            self._answer({})

        def _answer(self, body: dict[str, Any]) -> None:
            assert row.serve is not None
            code, data = row.serve(self.path, body)
            self.send_response(code)
            self.send_header("Content-Length", str(len(data) + row.withheld))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def lay_out(row: Row, folder: Path) -> None:
    """Write a row's files."""
    if row.requirements:
        (folder / "requirements.txt").write_text(row.requirements)
    if row.advisories is not None:
        (folder / "advisories").mkdir()
        for number, one in enumerate(row.advisories):
            text = one if isinstance(one, str) else json.dumps(one)
            (folder / "advisories" / f"{number}.json").write_text(text)
    for name, text in row.files.items():
        (folder / name).write_text(text)
    if row.config:
        (folder / "aipipe.toml").write_text(row.config)


def run(row: Row, folder: Path) -> tuple[int, set[str], str]:
    """Scan, and return the exit code, the rules of the findings, and what was said."""
    lay_out(row, folder)
    with serving(row) as address:
        words = [word.replace("=dead", f"={address}") for word in row.words]
        if not any(word.startswith("--advisories") for word in words):
            words.append(f"--advisories={address if row.serve else 'advisories'}")
        words = [word for word in words if word != "--advisories="]
        before = Path.cwd()
        out, err = io.StringIO(), io.StringIO()
        os.chdir(folder)
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                code = aipipe_build(["scan", "--json", "--sarif=scan.sarif", *words])
        finally:
            os.chdir(before)
    rules: set[str] = set()
    if out.getvalue():
        rules = {finding["rule"] for finding in json.loads(out.getvalue())["findings"]}
    return code, rules, err.getvalue()


def zipped(folder: Path) -> None:
    """Put a folder's advisories into a zip instead, as the public dumps come."""
    with zipfile.ZipFile(folder / "all.zip", "w") as archive:
        for path in (folder / "advisories").glob("*.json"):
            archive.write(path, path.name)


def is_right(row: Row, code: int, rules: set[str], said: str) -> bool:
    """Tell whether the gate did what the row asks for."""
    told = row.rule in rules or f"[{row.rule}]" in said if row.rule else not rules
    return code == row.code and told


def main() -> None:
    """Print the table; end with 1 where a row went wrong."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    wrong, found = 0, []
    print("| what | must | did | because |\n|---|---|---|---|")
    words = {0: "pass", 1: "block", 2: "refuse the request", 3: "refuse to answer"}
    for row in ROWS:
        with tempfile.TemporaryDirectory() as name:
            code, rules, said = run(row, Path(name))
        right = is_right(row, code, rules, said)
        wrong += not right
        mark = "" if right else " **wrong**"
        did = words.get(code, str(code))
        print(f"| {row.name} | {words[row.code]} | {did}{mark} | {row.rule or '-'} |")
        found.append({"name": row.name, "must": row.code, "did": code, "right": right})
    print(f"\n{len(ROWS) - wrong} of {len(ROWS)} rows as they must be")
    if options.json:
        options.json.write_text(json.dumps(found, indent=1))
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
