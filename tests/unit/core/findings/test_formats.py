"""SARIF and GitLab output against schemas.

The strict ones beside the golden files say what our output may hold and are made after the
SARIF 2.1.0 specification and GitLab's documentation. SARIF is held to the official schema as
well, which ``tests/official.py`` brings; GitLab publishes none, so what its own validator asks of
an issue (``app/validators/json_schemas/codeclimate.json`` of its source) is asked here.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema.validators import validator_for

from aipipe_core.documents import validate
from aipipe_core.findings import Finding, Level, Report, render

from .samples import PLAIN, hostile, many

DATA = Path(__file__).parents[3] / "data"
REPORTS = {"plain": PLAIN, "hostile": hostile(), "many": many(40), "empty": Report("Empty")}


def check(schema: dict[str, Any], document: Any) -> None:
    kind = validator_for(schema)
    kind.check_schema(schema)
    assert [
        f"{list(e.absolute_path)}: {e.message}" for e in kind(schema).iter_errors(document)
    ] == []


def official_sarif() -> dict[str, Any]:
    path = Path(__file__).parents[4] / ".cache" / "schemas" / "sarif-2.1.0.json"
    if not path.is_file():
        why = f"no {path.name}: run `python tests/official.py`"
        if os.environ.get("AIPIPE_REQUIRE_DOCKER") == "1":  # everything is required there
            pytest.fail(why)
        pytest.skip(why)
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return loaded


@pytest.mark.parametrize("report", REPORTS)
def test_sarif_is_as_strict_as_we_say(report: str) -> None:
    schema = json.loads((DATA / "schemas" / "sarif-as-written.schema.json").read_text())
    check(schema, json.loads(render(REPORTS[report], "sarif")))


@pytest.mark.parametrize("report", REPORTS)
def test_gitlab_is_as_strict_as_we_say(report: str) -> None:
    schema = json.loads((DATA / "schemas" / "gitlab-as-written.schema.json").read_text())
    check(schema, json.loads(render(REPORTS[report], "gitlab")))


@pytest.mark.parametrize("report", REPORTS)
def test_sarif_is_valid_by_the_official_schema(report: str) -> None:
    check(official_sarif(), json.loads(render(REPORTS[report], "sarif")))


@pytest.mark.parametrize("report", REPORTS)
def test_gitlab_has_what_the_validator_of_gitlab_asks(report: str) -> None:
    for issue in json.loads(render(REPORTS[report], "gitlab")):
        texts = [issue["description"], issue["fingerprint"], issue["location"]["path"]]
        assert [type(text) for text in texts] == [str, str, str]
        assert issue["severity"] in {"info", "minor", "major", "critical", "blocker"}
        assert type(issue["location"]["lines"]["begin"]) is int


@pytest.mark.parametrize("report", REPORTS)
def test_json_is_valid_by_the_published_schema(report: str) -> None:
    validate("findings", json.loads(render(REPORTS[report], "json")))


def test_sarif_rules_are_those_that_its_results_point_to() -> None:
    run = json.loads(render(many(9), "sarif"))["runs"][0]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert all(rules[result["ruleIndex"]] == result["ruleId"] for result in run["results"])


def test_sarif_encodes_paths_as_uris() -> None:
    finding = Finding("r", Level.NOTE, "m", path="dir with space/ä#%\udcff.py", start=1)
    run = json.loads(render(Report("t", findings=(finding,)), "sarif"))["runs"][0]
    location = run["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == "dir%20with%20space/%C3%A4%23%25%FF.py"


def test_an_end_before_its_start_is_mended() -> None:
    finding = Finding("r", Level.NOTE, "m", path="a.py", start=5, end=2)
    report = Report("t", findings=(finding,))
    result = json.loads(render(report, "sarif"))["runs"][0]["results"][0]
    assert result["locations"][0]["physicalLocation"]["region"] == {"startLine": 5, "endLine": 5}
    assert json.loads(render(report, "gitlab"))[0]["location"]["lines"] == {"begin": 5, "end": 5}
    assert "line=5,endLine=5" in render(report, "github")
