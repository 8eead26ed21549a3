"""The scan gate, row by row, against advisories in folders and a real server on loopback."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import socketserver
import stat
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aipipe_build.cli import main
from aipipe_core.documents import validate

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]


def load_table() -> Any:
    name = "image_scan"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, ROOT / "bench" / f"{name}.py")
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


TABLE = load_table()


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("AIPIPE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AIPIPE_BUILD_SCANNERS", "none")


@pytest.mark.parametrize("row", TABLE.ROWS, ids=lambda row: row.name)
def test_the_gate_does_what_the_row_says(row: Any, tmp_path: Path) -> None:
    code, rules, said = TABLE.run(row, tmp_path)
    assert TABLE.is_right(row, code, rules, said), (code, rules, said)
    if rules:
        log = json.loads((tmp_path / "scan.sarif").read_text())
        assert {result["ruleId"] for result in log["runs"][0]["results"]} == rules


def test_the_table_has_rows_for_every_answer() -> None:
    assert {row.code for row in TABLE.ROWS} == {0, 1, 2, 3}
    assert len(TABLE.ROWS) > 25


def test_a_zip_says_what_the_folder_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TABLE.lay_out(TABLE.ROWS[0], tmp_path)
    TABLE.zipped(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["scan", "--advisories=all.zip", "--json=scan.json"]) == 1
    document = json.loads((tmp_path / "scan.json").read_text())
    validate("scan", document)
    (finding,) = document["findings"]
    assert (finding["package"], finding["severity"], finding["fixed"]) == (
        "alpha", "critical", ["2.0"],
    )  # fmt: skip


def test_reports_and_the_bill_of_materials_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    TABLE.lay_out(TABLE.ROWS[0], tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ["--sbom=bom.json", "--md=scan.md", "--html=scan.html", "--sarif=scan.sarif"]
    assert main(["scan", "--advisories=advisories", *words]) == 1
    assert "alpha 1.0" in capsys.readouterr().out
    bill = json.loads((tmp_path / "bom.json").read_text())
    assert bill["bomFormat"] == "CycloneDX"
    assert [part["purl"] for part in bill["components"]] == ["pkg:pypi/alpha@1.0"]
    assert "GHSA-1" in (tmp_path / "scan.html").read_text()
    assert "The gate is closed" in (tmp_path / "scan.md").read_text()
    assert main(["scan", "--advisories=advisories", "--sbom=no/such/folder"]) == 3


@pytest.mark.parametrize("says", [b"no protocol at all\r\n", b"HTTP/1.1 200 OK\r\n\r\n{"])
def test_a_service_that_speaks_otherwise_or_never_ends_has_not_answered(says: bytes) -> None:
    from aipipe_build.image.packages import Package
    from aipipe_build.scan.service import Service

    class Endless(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with contextlib.suppress(OSError):
                self.request.sendall(says)
                while not ended.wait(0.05):
                    self.request.sendall(b" ")

    ended = threading.Event()
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Endless) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        service = Service(f"http://127.0.0.1:{server.server_address[1]}", seconds=0.5)
        answer = service.answer([Package("PyPI", "alpha", "1.0")])
        ended.set()
        server.shutdown()
    assert not answer.checked
    assert [problem.rule for problem in answer.problems] == ["advisories-unreachable"]


@pytest.fixture
def scanner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], None]:
    """Return what puts a program of a scanner's name on the PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")

    def make(name: str, script: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    return make


TRIVY = {
    "Results": [
        {
            "Type": "debian",
            "Vulnerabilities": [
                {
                    "VulnerabilityID": "CVE-9", "PkgName": "libx", "InstalledVersion": "1",
                    "FixedVersion": "2", "Severity": "CRITICAL", "Title": "bad",
                }
            ],
        }
    ]
}  # fmt: skip
GRYPE = {
    "matches": [
        {
            "vulnerability": {"id": "GHSA-9", "severity": "Low", "fix": {"versions": ["2"]}},
            "artifact": {"name": "Alpha", "version": "1", "type": "python"},
            "relatedVulnerabilities": [{"id": "CVE-9"}],
        }
    ]
}


@pytest.mark.parametrize(
    ("name", "script", "code", "rule"),
    [
        ("trivy", f"echo '{json.dumps(TRIVY)}'", "blocks", "CVE-9"),
        ("trivy", "echo '{\"Results\": []}'", "clean", ""),
        ("trivy", "echo '{}'", "silent", "scanner-failed"),
        ("trivy", "echo oops; exit 0", "silent", "scanner-failed"),
        ("trivy", "echo no database >&2; exit 1", "silent", "no database"),
        ("grype", f"echo '{json.dumps(GRYPE)}'", "warns", "CVE-9"),
        ("grype", "echo '{\"matches\": [{}]}'", "silent", "scanner-failed"),
        ("grype", "exit 2", "silent", "ended with 2"),
    ],
)
def test_another_scanner_is_believed_only_when_it_answers(
    scanner: Any, tmp_path: Path, name: str, script: str, code: str, rule: str
) -> None:
    from aipipe_build.scan.adapters import ask_scanner, choose_scanners

    scanner(name, script)
    assert name in choose_scanners(("auto",))
    answer = ask_scanner(name, "image:1", tmp_path)
    shown = " ".join([p.rule + " " + p.text for p in answer.problems])
    shown += " ".join(str(match) for _, match in answer.found)
    assert rule in shown
    assert bool(answer.problems) == (code == "silent")
    assert all(problem.surroundings for problem in answer.problems)
    assert [match.severity for _, match in answer.found] == {
        "blocks": ["critical"], "warns": ["low"],
    }.get(code, [])  # fmt: skip


def test_a_scanner_that_is_named_and_missing_has_not_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from aipipe_build.scan.adapters import ask_scanner, choose_scanners

    monkeypatch.setenv("PATH", str(tmp_path))
    assert choose_scanners(("grype",)) == ["grype"]
    assert choose_scanners(("auto",)) == []
    assert choose_scanners(("auto", "none")) == []
    (problem,) = ask_scanner("grype", "image", tmp_path).problems
    assert problem.text == "it is not installed"


@pytest.mark.docker
@pytest.mark.slow
def test_what_an_image_holds_is_scanned(
    docker: None,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "advisories").mkdir()
    python = TABLE.advisory(name="pip", events=[{"introduced": "0"}])
    debian = TABLE.advisory("DSA-1", severity=[])
    debian["affected"][0]["package"] = {"ecosystem": "Debian:12", "name": "bash"}
    debian["affected"][0]["ranges"][0]["events"] = [{"introduced": "0"}, {"fixed": "1.0-1"}]
    for name, one in (("python", python), ("debian", debian)):
        (tmp_path / "advisories" / f"{name}.json").write_text(json.dumps(one))
    words = ["scan", "python:3.11-slim", "--advisories=advisories", "--json=scan.json"]
    assert main([*words, "--sbom=bom.json"]) == 1
    document = json.loads((tmp_path / "scan.json").read_text())
    assert {f["package"] for f in document["findings"] if f["level"] == "error"} == {"pip"}
    assert document["sources"][0]["checked"] == document["packages"] > 50
    bill = json.loads((tmp_path / "bom.json").read_text())
    assert any(part["purl"].startswith("pkg:deb/debian/bash@") for part in bill["components"])
    assert main([*words, "--only=system"]) == 0
    assert main(["scan", "no/such/image:1", "--advisories=advisories"]) == 3
    assert "[image-missing]" in capsys.readouterr().err
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    assert main(["scan", "python:3.11-slim", "--advisories=advisories"]) == 3
    assert "[engine-down]" in capsys.readouterr().err
