"""Risk by written rules, and the route that follows from it."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest

from aipipe.analyze import Analysis, document, in_words
from aipipe.risk.features import measure
from aipipe.risk.history import History, parse
from aipipe.risk.score import BIAS, WEIGHTS, Weight, assess, level_of, logistic
from aipipe.route import Route, route_for
from aipipe_core.change import Change, FileChange, Hunk, Kind
from aipipe_core.config import Settings
from aipipe_core.config.settings import RiskSettings

SCHEMAS = Path(__file__).parents[3] / "aipipe_core" / "documents" / "schemas"


def file(path: str, *kinds: Kind, lines: int = 1) -> FileChange:
    hunk = Hunk(0, 1, (), ("x",) * lines)
    return FileChange(path, "M", frozenset(kinds), hunks=(hunk,) if lines else ())


def change(*files: FileChange, message: str = "") -> Change:
    return Change(Path("/r"), "a" * 40, "b" * 40, files, message)


def probability(*files: FileChange, message: str = "", history: History | None = None) -> float:
    return assess(change(*files, message=message), history, Settings()).probability


QUIET = History(recent=0, fixes=0, authors=1, age=1000, experience=100)


def test_an_empty_change_has_no_risk_and_says_so() -> None:
    risk = assess(change(), None, Settings())
    assert (risk.probability, risk.level) == (0.0, "low")
    assert risk.reasons[0].feature.text == "nothing changed"


def test_more_lines_are_more_risk() -> None:
    sizes = [probability(file("a.py", Kind.CODE, lines=n)) for n in (1, 10, 100, 1000)]
    assert sizes == sorted(set(sizes))


def test_documentation_alone_is_hardly_a_risk() -> None:
    assert probability(file("a.md", Kind.DOCS, lines=500)) < 0.01


def test_tests_alone_are_less_risk_than_code() -> None:
    code, tests = file("a.py", Kind.CODE), file("test_a.py", Kind.TESTS)
    assert probability(tests) < probability(code, tests) < probability(code)


@pytest.mark.parametrize("kind", [Kind.MIGRATION, Kind.AUTHENTICATION, Kind.DEPENDENCIES])
def test_what_is_dear_when_it_breaks_is_more_risk(kind: Kind) -> None:
    assert probability(file("a.py", Kind.CODE, kind)) > probability(file("a.py", Kind.CODE))


def test_a_troubled_past_is_more_risk() -> None:
    code = file("a.py", Kind.CODE)
    troubled = History(recent=30, fixes=12, authors=6, age=1000, experience=1)
    assert probability(code, history=troubled) > probability(code, history=QUIET)
    names = {feature.name for feature in measure(change(code), troubled)}
    assert {"churn", "past fixes", "authors", "new author"} <= names


def test_generated_lines_do_not_count_as_written() -> None:
    small = file("a.py", Kind.CODE)
    made = file("a_pb2.py", Kind.CODE, Kind.GENERATED, lines=5000)
    lines = {f.name: f.value for f in measure(change(small, made), None)}["lines"]
    assert lines == 1


def test_every_effect_is_bounded_and_every_feature_weighed() -> None:
    assert Weight(per=1.0, most=2.0).effect(1e9) == 2.0
    assert Weight(flat=-9.0).effect(0) == -2.5
    broken = dataclasses.replace(file("a.py", Kind.CODE), error="syntax error")
    kinds = [file(f"{kind}.x", kind, lines=40) for kind in Kind]
    old = History(recent=1, fixes=1, authors=2, age=10**9, experience=0)
    seen = {f.name for f in measure(change(broken, *kinds, message="Fix it"), old)}
    seen |= {f.name for f in measure(change(file("a", Kind.DOCS)), None)}
    seen |= {f.name for f in measure(change(file("a", Kind.TESTS)), None)}
    seen |= {f.name for f in measure(change(file("a", Kind.CODE)), None)}
    assert seen == set(WEIGHTS)


def test_the_probability_is_the_logistic_of_the_effects() -> None:
    risk = assess(change(file("a.py", Kind.CODE, lines=50)), QUIET, Settings())
    assert risk.probability == logistic(BIAS + sum(r.effect for r in risk.reasons))
    assert logistic(0) == 0.5


def test_reasons_come_strongest_first() -> None:
    files = (file("a.py", Kind.CODE, Kind.MIGRATION, lines=300), file("b.py", Kind.CODE))
    effects = [abs(r.effect) for r in assess(change(*files), QUIET, Settings()).reasons]
    assert effects == sorted(effects, reverse=True)


def test_levels_begin_at_the_settings_thresholds() -> None:
    settings = Settings(risk=RiskSettings(medium=0.3, high=0.7))
    levels = [level_of(p, settings) for p in (0.29, 0.3, 0.69, 0.7)]
    assert levels == ["low", "medium", "medium", "high"]


@pytest.mark.parametrize(
    ("level", "kinds", "route"),
    [
        ("low", {Kind.DOCS}, Route("skip", "skip", "rolling", 600)),
        ("low", set(), Route("skip", "skip", "rolling", 600)),
        ("low", {Kind.TESTS}, Route("impacted", "skip", "rolling", 600)),
        ("low", {Kind.CODE}, Route("impacted", "cached", "rolling", 600)),
        ("low", {Kind.DEPENDENCIES}, Route("impacted", "dependencies", "rolling", 600)),
        ("low", {Kind.DOCS, Kind.OTHER}, Route("impacted", "cached", "rolling", 600)),
        ("medium", {Kind.CODE}, Route("full", "dependencies", "rolling", 600)),
        ("medium", {Kind.DOCKER}, Route("full", "full", "rolling", 600)),
        ("high", {Kind.CODE}, Route("full+extra", "full", "canary", 1800)),
        ("high", {Kind.TESTS, Kind.DOCS}, Route("impacted", "skip", "canary", 1800)),
        ("medium", {Kind.CI}, Route("impacted", "dependencies", "rolling", 600)),
        ("medium", {Kind.CI, Kind.DEPENDENCIES}, Route("full", "dependencies", "rolling", 600)),
    ],
)
def test_the_route_follows_level_and_kinds(level: str, kinds: set[Kind], route: Route) -> None:
    assert route_for(level, kinds) == route


def test_the_documents_answer_the_published_schema() -> None:
    schema = json.loads((SCHEMAS / "risk.schema.json").read_text(encoding="utf-8"))
    for files in ((), (file("a.py", Kind.CODE, lines=9),), (file("a.md", Kind.DOCS),)):
        made = change(*files)
        risk = assess(made, QUIET, Settings())
        analysis = Analysis(made, risk, route_for(risk.level, made.kinds))
        jsonschema.validate(document(analysis), schema)
        assert risk.level in in_words(analysis)
    jsonschema.Draft202012Validator.check_schema(schema)


def test_a_log_is_read_and_what_is_no_record_passed_over() -> None:
    log = "a\x1f10\x1fA@x\x1fFix \xe9\x1e\nb\x1f20\x1fb@x\x1fsub\x1fject\x1e\nodd\x1e\n"
    commits = parse(log.encode("latin-1"))
    assert [(c.name, c.time, c.author) for c in commits] == [("a", 10, "a@x"), ("b", 20, "b@x")]
