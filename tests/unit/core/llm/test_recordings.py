"""The recorded run of the model engine: its figures are those of the exchanges beside them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from aipipe_core.llm.exchange import Exchange, Player, read_exchange

TOP = Path(__file__).parents[4]
RECORDINGS = TOP / "bench" / "recordings" / "model"
RESULTS: dict[str, dict[str, Any]] = json.loads((RECORDINGS / "results.json").read_text("utf-8"))


def exchanges(name: str) -> list[Exchange]:
    return [read_exchange(file) for file in sorted((RECORDINGS / name).glob("*.json"))]


def test_each_commit_of_the_results_has_its_exchanges_and_no_other_has() -> None:
    assert sorted(RESULTS) == sorted(one.name for one in RECORDINGS.iterdir() if one.is_dir())


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_rounds_and_tokens_are_those_of_the_exchanges(name: str) -> None:
    told = {
        row["gap"]: (row["rounds"], row["input"], row["output"]) for row in RESULTS[name]["rows"]
    }
    found: dict[str, tuple[int, int, int]] = {}
    for one in exchanges(name):
        assert one.reply.usage is not None
        rounds, said, given = found.get(one.label, (0, 0, 0))
        found[one.label] = (
            rounds + 1, said + one.reply.usage.input, given + one.reply.usage.output
        )  # fmt: skip
    assert told == found
    assert len(RESULTS[name]["ledger"]) == sum(rounds for rounds, *_ in found.values())


@pytest.mark.parametrize("name", sorted(RESULTS))
def test_every_exchange_can_be_replayed(name: str) -> None:
    Player(RECORDINGS / name)
    for one in exchanges(name):
        assert one.purpose == "tests"
        assert one.messages[0].role == "system"
        assert one.turn == 1 + sum(message.role == "assistant" for message in one.messages)


def test_the_bench_prints_the_recorded_run_and_meets_its_bars() -> None:
    done = subprocess.run(
        [sys.executable, "bench/model.py"], cwd=TOP, capture_output=True, text=True, check=False
    )
    gaps = sum(len(one["rows"]) for one in RESULTS.values())
    closed = sum(row["closed"] for one in RESULTS.values() for row in one["rows"])
    assert done.returncode == 0, done.stderr
    assert f"{gaps} gaps asked about, on {len(RESULTS)} commits: {closed} closed" in done.stdout
    assert done.stdout.endswith("(half closed, 60 % admitted, 6,000 tokens): met\n")
    assert gaps >= 20


def test_the_ledger_adds_up_to_the_calls() -> None:
    done = subprocess.run(
        [sys.executable, "bench/model.py", "--ledger"],
        cwd=TOP, capture_output=True, text=True, check=False,
    )  # fmt: skip
    calls = sum(len(one["ledger"]) for one in RESULTS.values())
    tokens = sum(row["input"] for one in RESULTS.values() for row in one["ledger"])
    assert done.stdout.splitlines()[-1].startswith(f"{calls} calls: input {tokens}, ")
