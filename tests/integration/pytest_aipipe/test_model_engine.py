"""A whole run with a model behind it: a real server on loopback, real children, a real report."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.integration.model_server import ModelServer

pytestmark = pytest.mark.slow

GOOD = """\
```python
from calc import add


def test_missing_left():
    assert add(None, 2) == 2


def test_missing_right():
    assert add(2, None) == 2
```
"""
ON = ("--ai-diff", "--ai-report=json:out.json", "--ai-budget=40")


@pytest.fixture
def asked(project: Any, server: ModelServer) -> Callable[..., dict[str, Any]]:
    """Run with the model at ``server``; return the report."""

    def run(*arguments: str, env: dict[str, str] | None = None) -> dict[str, Any]:
        around = {"OPENAI_BASE_URL": server.url, "AIPIPE_MODEL_RETRIES": "0", **(env or {})}
        ran = project.pytest(*ON, *arguments, env=around)
        assert ran.code == 0, ran.text
        found: dict[str, Any] = project.report()
        return found

    return run


def test_the_models_tests_pass_the_gate_and_are_paid_for_in_the_report(
    asked: Any, server: ModelServer, project: Any
) -> None:
    server.does(server.says(GOOD))
    report = asked("--ai-engine=llm", env={"AIPIPE_MODEL_SMALL_PRICE": "1/0.1/10"})
    assert report["coverage"]["lines"]["after"] == 4
    admitted = [test for test in report["tests"] if test["status"] == "admitted"]
    assert {test["engine"] for test in admitted} == {"llm"}
    assert (report["llm"]["calls"], report["llm"]["input_tokens"]) == (1, 100)
    assert report["llm"]["cost_usd"] == pytest.approx((60 + 40 * 0.1 + 20 * 10) / 1e6)
    (row,) = report["engines"]
    assert (row["engine"], row["admitted"], row["tokens"]) == ("llm", len(admitted), 120)
    (prompt,) = server.requests
    text = prompt["messages"][1]["content"]
    assert re.search(r"^ *3\+! +return b$", text, re.MULTILINE)
    assert "`a is None` is true" in text
    assert "def test_add(one)" in text  # the nearest test, whole
    assert "Fixtures in reach:" in text


def test_the_gates_reason_goes_back_and_three_answers_are_the_most(
    asked: Any, server: ModelServer
) -> None:
    server.does(
        server.says(
            "```python\nfrom calc import add\n\n\ndef test_x():\n    assert add(1, 2) == 3\n```"
        )
    )
    report = asked("--ai-engine=llm")
    assert report["llm"]["calls"] == len(server.requests) == 3
    second = server.requests[1]["messages"]
    assert second[:2] == server.requests[0]["messages"]  # the prefix stays as it was
    assert "runs nothing that is still open" in second[-1]["content"]
    assert "was false" in second[-1]["content"]  # what the guard was given
    assert report["coverage"]["lines"]["after"] == 2


def test_a_later_answer_closes_the_gap(asked: Any, server: ModelServer) -> None:
    broken = "```python\nfrom calc import add\n\ndef test_x():\n    assert add(None\n```"
    server.does(server.says(broken), server.says(GOOD))
    report = asked("--ai-engine=llm")
    assert report["coverage"]["lines"]["after"] == 4
    assert "does not parse" in server.requests[1]["messages"][-1]["content"]


def test_auto_asks_the_model_only_for_what_the_embedded_engine_leaves(
    asked: Any, server: ModelServer, project: Any
) -> None:
    project.put({"calc.py": HARD})
    server.does(
        server.says(
            "```python\nfrom calc import add\n\n\ndef test_key():\n    assert add('q', 8) == 'open'\n```"
        )
    )
    report = asked("--ai-budget=25")
    assert {test["engine"] for test in report["tests"] if test["status"] == "admitted"} >= {"llm"}
    text = server.requests[0]["messages"][1]["content"]
    (listing,) = re.findall(r'about="source">\n(.*?)</untrusted>', text, re.DOTALL)
    assert re.findall(r"^ *(\d+).!", listing, re.MULTILINE) == ["8"]
    assert "What was tried by a program" in text


HARD = """\
import hashlib


def add(a, b):
    if a is None:
        return b
    if hashlib.sha256(f"{a}{b}".encode()).hexdigest()[:12] == "d991b1bb53f9":
        return "open"
    return a + b
"""


@pytest.mark.parametrize(
    ("act", "slug"),
    [
        ("fails-401", "model-key-refused"),
        ("fails-429", "model-rate-limited"),
        ("fails-500", "model-server-error"),
        ("breaks_off", "model-cut"),
        ("refuses", "model-refused"),
        ("too-long", "model-too-long"),
    ],
)
def test_whatever_the_server_does_the_run_goes_on_with_the_embedded_engine(
    asked: Any, server: ModelServer, act: str, slug: str
) -> None:
    acts = {
        "breaks_off": server.breaks_off,
        "refuses": server.says("", refusal="no"),
        "too-long": server.says("def", finish="length"),
    }
    server.does(acts[act] if act in acts else server.fails(int(act.split("-")[1])))
    report = asked("--ai-budget=15")
    told = " ".join(report["notes"])
    assert report["coverage"]["lines"]["after"] == 4
    if server.requests:  # the embedded engine may have left nothing to ask
        assert slug in told


def test_a_server_that_hangs_costs_its_time_and_no_more(asked: Any, server: ModelServer) -> None:
    server.does(server.hangs)
    report = asked("--ai-engine=llm", env={"AIPIPE_MODEL_TIMEOUT": "0.5"})
    assert any("model-timeout" in note for note in report["notes"])


def test_without_a_key_llm_falls_back_to_the_embedded_engine(project: Any) -> None:
    ran = project.pytest(*ON, "--ai-engine=llm")
    assert ran.code == 0, ran.text
    report = project.report()
    assert any("model-no-key" in note for note in report["notes"])
    assert {test["engine"] for test in report["tests"]} == {"local"}
    assert report["coverage"]["lines"]["after"] == 4


def test_nothing_leaves_when_nothing_may(asked: Any, server: ModelServer) -> None:
    report = asked("--ai-send=none", "--ai-engine=llm")
    assert server.requests == []
    assert any("model-send-none" in note for note in report["notes"])


def test_only_signatures_leave_when_only_they_may(asked: Any, server: ModelServer) -> None:
    server.does(server.says(GOOD))
    report = asked("--ai-send=signatures", "--ai-engine=llm")
    sent = json.dumps(server.requests)
    assert "def add(a, b): ..." in sent
    assert "is None" not in sent
    assert "test_add" not in sent
    assert report["coverage"]["lines"]["after"] == 4


def test_a_cap_stops_the_calls_and_not_the_run(asked: Any, server: ModelServer) -> None:
    report = asked("--ai-engine=llm", "--ai-max-tokens=10")
    assert server.requests == []
    assert any("--ai-max-tokens" in note for note in report["notes"])
    assert report["coverage"]["lines"]["after"] == 4  # by the embedded engine


def test_without_a_sandbox_no_model_is_asked(asked: Any, server: ModelServer) -> None:
    report = asked("--ai-engine=llm", "--ai-sandbox=off")
    assert server.requests == []
    assert any("model-needs-sandbox" in note for note in report["notes"])


def test_what_was_answered_before_is_not_paid_for_again(asked: Any, server: ModelServer) -> None:
    server.does(server.says(GOOD))
    asked("--ai-engine=llm")
    again = asked("--ai-engine=llm")
    assert len(server.requests) == 1
    assert (again["llm"]["calls"], again["llm"]["from_store"]) == (0, 1)
    assert again["coverage"]["lines"]["after"] == 4
