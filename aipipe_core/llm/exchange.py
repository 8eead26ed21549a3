"""Exchanges as files: recorded as they happen, replayed with no network.

One JSON file an exchange, named by its purpose and the digest of what was asked. A replayed
question is found by that digest; where the text differs in what no answer depends on (times,
counts of tries), by its label and round, and the ledger says which.
"""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import RequestError
from aipipe_core.llm.model import Message, Reply, Usage
from aipipe_core.llm.problems import ModelError

if TYPE_CHECKING:
    from pathlib import Path

    from aipipe_core.llm.model import Ask

SCHEMA = 1


def key_of(ask: Ask, model: str) -> str:
    """Return the digest of everything that an answer depends on."""
    said = [
        ask.prompt,
        model,
        [[one.role, one.text] for one in ask.messages],
        dict(ask.schema) if ask.schema is not None else None,
        ask.max_output,
    ]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def turn_of(ask: Ask) -> int:
    """Return which turn of its conversation a question is, from 1."""
    return 1 + sum(one.role == "assistant" for one in ask.messages)


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question and its reply, as a file has them."""

    purpose: str
    prompt: str
    label: str
    turn: int
    model: str
    key: str
    messages: tuple[Message, ...]
    reply: Reply
    seconds: float = 0.0


class Recorder:
    """Writes exchanges into a folder, which is made when the first one comes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, ask: Ask, model: str, reply: Reply, seconds: float) -> None:
        """Write one exchange; raises ``RequestError`` where the folder cannot be written."""
        key = key_of(ask, model)
        text = {
            "schema": SCHEMA,
            "purpose": ask.purpose,
            "prompt": ask.prompt,
            "label": ask.label,
            "turn": turn_of(ask),
            "model": model,
            "key": key,
            "seconds": round(seconds, 3),
            "messages": [asdict(one) for one in ask.messages],
            "reply": asdict(reply),
        }
        file = self.folder / f"{ask.purpose}-{key[:16]}.json"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(text, indent=1, ensure_ascii=False) + "\n", "utf-8")
        except OSError as error:
            raise RequestError(
                "model-record-unwritable",
                f"{file} cannot be written: {error.strerror}",
                hint="Set model.record to a folder that you may write to.",
            ) from error


class Player:
    """Answers from a folder of exchanges, and from nothing else."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._by_key: dict[str, Exchange] = {}
        self._by_label: dict[tuple[str, str, int], list[Exchange]] = {}
        self._lock = threading.Lock()
        self.near = 0
        for file in sorted(folder.glob("*.json")):
            one = read_exchange(file)
            self._by_key[one.key] = one
            self._by_label.setdefault((one.purpose, one.label, one.turn), []).append(one)
        if not self._by_key:
            raise RequestError(
                "model-replay-empty",
                f"{folder} holds no recorded exchange",
                hint="Record some with model.record, or leave model.replay out.",
            )

    def reply(self, ask: Ask, model: str) -> tuple[Reply, float]:
        """Return the recorded reply and its seconds; raise ``model-not-recorded``."""
        found = self._by_key.get(key_of(ask, model))
        if found is None:
            like = self._by_label.get((ask.purpose, ask.label, turn_of(ask)), [])
            if ask.label and like:
                with self._lock:
                    self.near += 1
                found = like[0]
        if found is None:
            raise ModelError(
                "model-not-recorded",
                f"No exchange is recorded for {ask.label or ask.purpose} (turn {turn_of(ask)})",
                where=str(self.folder),
                hint="Record it with model.record.",
            )
        return found.reply, found.seconds


def read_exchange(file: Path) -> Exchange:
    """Return the exchange of a file; raise ``RequestError`` (``model-replay-broken``)."""
    try:
        found: dict[str, Any] = json.loads(file.read_text("utf-8"))
        reply = found["reply"]
        usage = Usage(**reply["usage"]) if reply["usage"] else None
        return Exchange(
            purpose=found["purpose"],
            prompt=found["prompt"],
            label=found["label"],
            turn=found["turn"],
            model=found["model"],
            key=found["key"],
            messages=tuple(Message(**one) for one in found["messages"]),
            reply=Reply(reply["text"], reply["finish"], usage, reply["model"]),
            seconds=float(found["seconds"]),
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise RequestError(
            "model-replay-broken",
            f"{file} is no recorded exchange: {error}",
            hint="Remove it, or record it again.",
        ) from error
