"""The nouns of a model call: what is asked, what came back, and what it took."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping

TIERS = ("large", "small")


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation. ``role`` is ``system``, ``user`` or ``assistant``."""

    role: str
    text: str


@dataclass(frozen=True, slots=True)
class Ask:
    """One question. ``messages`` begin with what is the same for every question of its kind.

    ``prompt`` names the prompt's file and version (``tests/1``). ``schema`` is a JSON Schema
    that the answer must meet; None asks for text. ``label`` says in words what it is about.
    ``max_output`` is in tokens.
    """

    purpose: str
    prompt: str
    tier: str
    messages: tuple[Message, ...]
    max_output: int = 1500
    schema: Mapping[str, Any] | None = None
    label: str = ""


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of a call. ``cached`` are those of ``input`` that the provider had already read."""

    input: int = 0
    cached: int = 0
    output: int = 0

    @property
    def total(self) -> int:
        """Tokens in and out."""
        return self.input + self.output

    def __add__(self, other: Usage) -> Usage:
        return Usage(
            self.input + other.input, self.cached + other.cached, self.output + other.output
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server said. ``finish`` is ``stop``, ``length`` or ``refused``.

    ``usage`` is None where the server did not count.
    """

    text: str
    finish: str
    usage: Usage | None = None
    model: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A usable answer. ``data`` holds the checked value where a schema was asked for.

    ``source`` is ``model``, ``store`` (asked before) or ``replay``.
    """

    text: str
    data: Any = None
    usage: Usage = field(default_factory=Usage)
    cost: float = 0.0
    seconds: float = 0.0
    source: str = "model"


@dataclass(frozen=True, slots=True)
class Shape:
    """How a server wants to be asked; learnt from what it refuses.

    ``structured`` is ``schema``, ``json`` or ``off``; ``limit`` names the parameter that
    bounds the answer.
    """

    structured: str = "schema"
    limit: str = "max_tokens"
    stream: bool = True


class Wire(Protocol):
    """One of the two forms in which an OpenAI-compatible server can be asked."""

    name: str

    def payload(self, ask: Ask, model: str, shape: Shape) -> dict[str, Any]:
        """Return the call's arguments: exactly what is sent."""
        ...

    def send(self, client: Any, payload: dict[str, Any], most: int) -> Reply:
        """Ask ``client`` (of the openai package); stop reading after ``most`` characters.

        Raises what the package raises, and ``ModelError`` (``model-cut``).
        """
        ...


Connect = Callable[[float, int], Any]
"""Makes a client of the openai package, given the seconds and the retries of one call."""
