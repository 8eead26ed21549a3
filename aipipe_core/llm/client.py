"""The client: a question in, a checked answer or a clear failure out, and an entry for each.

masked -> stored? -> recorded? -> within the caps? -> asked -> checked -> repaired once ->
kept. Any failure is a :class:`ModelError`; whoever asked goes on without the answer.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from aipipe_core.errors import SurroundingsError
from aipipe_core.llm import problems
from aipipe_core.llm.caps import Spent
from aipipe_core.llm.exchange import key_of
from aipipe_core.llm.ledger import Entry
from aipipe_core.llm.masking import mask
from aipipe_core.llm.model import Answer, Message, Reply, Usage
from aipipe_core.llm.prices import FREE, Price
from aipipe_core.llm.structured import NotThere, in_words, value_in
from aipipe_core.llm.tokens import bound, bound_of
from aipipe_core.llm.wire import reshaped, wire_named

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from aipipe_core.llm.exchange import Player, Recorder
    from aipipe_core.llm.ledger import Ledger
    from aipipe_core.llm.model import Ask, Connect, Shape
    from aipipe_core.llm.setup import Setup, Tier
    from aipipe_core.store.store import Store

ANSWERS = "llm-answers"
KEPT_ANSWERS = 2000
CHARACTERS = 12  # a token is hardly ever longer: a server that ignores the bound is cut off here
MAX_SHAPES = 4


class Client:
    """Asks the models of a :class:`Setup`. May be used by several threads at once.

    ``environ`` is searched for values that must not leave. With ``player`` nothing is ever
    sent; with ``preview`` what would be sent is written there instead.
    """

    def __init__(
        self,
        setup: Setup,
        ledger: Ledger,
        *,
        store: Store | None = None,
        recorder: Recorder | None = None,
        player: Player | None = None,
        preview: Path | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.setup = setup
        self.ledger = ledger
        self.wire = wire_named(setup.api)
        self._store = store
        self._recorder = recorder
        self.player = player
        self._preview = preview
        self._environ = dict(environ or {})
        self._lock = threading.Lock()
        self._shapes: dict[str, Shape] = {}

    def ask(self, ask: Ask, *, seconds: float | None = None) -> Answer:
        """Return the answer within ``seconds``; raise ``ModelError`` where there is none."""
        tier = self.setup.tiers[ask.tier]
        ask = self._prepared(ask, tier)
        stored = self._stored(ask, tier)
        if stored is not None:
            return stored
        if self.player is None and self._preview is None:
            with contextlib.suppress(ImportError):  # the call says so, and writes it down
                import openai  # noqa: F401 - it may take a second, which is not the server's

        deadline = time.monotonic() + (seconds if seconds is not None else self._longest())
        answer = self._once(ask, tier, deadline)
        if ask.schema is None:
            return self._kept(ask, tier, answer)
        try:
            data = value_in(answer.text, ask.schema)
        except NotThere as error:
            answer, data = self._repaired(ask, tier, answer, str(error), deadline)
        return self._kept(ask, tier, replace(answer, data=data))

    def masked(self, ask: Ask) -> Ask:
        """Return ``ask`` as it leaves: with no secret in it."""
        clean = tuple(replace(one, text=mask(one.text, self._environ)) for one in ask.messages)
        return replace(ask, messages=clean, label=mask(ask.label, self._environ))

    def _longest(self) -> float:
        return self.setup.timeout * (self.setup.retries + 1)

    def _prepared(self, ask: Ask, tier: Tier) -> Ask:
        ask = self.masked(ask)
        shape = self._shape(tier)
        if ask.schema is not None and shape.structured != "schema":
            first, *rest = ask.messages
            said = Message(first.role, f"{first.text}\n\n{in_words(ask.schema)}")
            ask = replace(ask, messages=(said, *rest))
        size = bound_of([one.text for one in ask.messages])
        if size + ask.max_output > tier.context:
            raise problems.ModelError(
                "model-prompt-too-long",
                f"The question takes up to {size} tokens, and {tier.model} reads {tier.context}",
                where=ask.label,
                hint=f"Set model.{tier.name}_context where the model reads more.",
            )
        return ask

    def _shape(self, tier: Tier) -> Shape:
        return self._shapes.get(tier.model, self.setup.shape)

    def _stored(self, ask: Ask, tier: Tier) -> Answer | None:
        if self._store is None or self.player is not None or self._preview is not None:
            return None
        try:
            found = self._store.get(ANSWERS, key_of(ask, tier.model))
        except SurroundingsError:
            return None
        if not isinstance(found, dict) or "text" not in found:
            return None
        self._note(ask, tier, Usage(), 0.0, 0.0, "stored")
        return Answer(found["text"], found.get("data"), source="store")

    def _kept(self, ask: Ask, tier: Tier, answer: Answer) -> Answer:
        if self._store is not None and answer.source == "model":
            try:
                value = {"text": answer.text, "data": answer.data}
                self._store.put(ANSWERS, key_of(ask, tier.model), value)
                self._store.prune(ANSWERS, keep=KEPT_ANSWERS)
            except SurroundingsError:
                self._store = None  # an answer that is not kept is asked for again
        return answer

    def _repaired(
        self, ask: Ask, tier: Tier, answer: Answer, why: str, deadline: float
    ) -> tuple[Answer, Any]:
        """Ask once more, with what was wrong; raise ``model-not-json`` where that fails too."""
        again = replace(
            ask,
            messages=(
                *ask.messages,
                Message("assistant", answer.text[:4000]),
                Message("user", f"That is not the JSON that was asked for: {why}. Only the JSON."),
            ),
        )
        second = self._once(again, tier, deadline)
        try:
            return second, value_in(second.text, ask.schema or {})
        except NotThere as error:
            raise problems.garbled(self.setup.host, str(error)) from error

    def _once(self, ask: Ask, tier: Tier, deadline: float) -> Answer:
        """Make one call and write it down, however it ends."""
        started = time.monotonic()
        if self.player is not None:
            return self._replayed(ask, tier)
        payload = self.wire.payload(ask, tier.model, self._shape(tier))
        if self._preview is not None:
            raise self._previewed(ask, payload)
        most = Usage(bound_of([one.text for one in ask.messages]), 0, ask.max_output)
        price = self._price(tier)
        ticket: int | None = None
        try:
            ticket = self.ledger.begin(Spent(price.of(most), most.total))
            reply = self._sent(ask, tier, deadline)
        except problems.ModelError as error:
            self._note(ask, tier, Usage(), 0.0, time.monotonic() - started, error.slug, ticket)
            raise
        taken = time.monotonic() - started
        usage = reply.usage or Usage(most.input, 0, bound(reply.text))
        problem = self._problem(ask, reply)
        outcome = problem.slug if problem else "answered"
        counted = reply.usage is not None
        self._note(ask, tier, usage, price.of(usage), taken, outcome, ticket, counted=counted)
        if self._recorder is not None:
            self._recorder.write(ask, tier.model, replace(reply, usage=usage), taken)
        if problem is not None:
            raise problem
        return Answer(reply.text, None, usage, price.of(usage), taken)

    def _replayed(self, ask: Ask, tier: Tier) -> Answer:
        assert self.player is not None  # noqa: S101
        try:
            reply, taken = self.player.reply(ask, tier.model)
        except problems.ModelError as error:
            self._note(ask, tier, Usage(), 0.0, 0.0, error.slug)
            raise
        usage = reply.usage or Usage()
        problem = self._problem(ask, reply)
        self._note(ask, tier, usage, 0.0, taken, problem.slug if problem else "replayed")
        if problem is not None:
            raise problem
        return Answer(reply.text, None, usage, 0.0, taken, source="replay")

    def _price(self, tier: Tier) -> Price:
        if tier.price is not None:
            return tier.price
        if self.ledger.caps.bounds_money:
            raise problems.ModelError(
                "model-no-price",
                f"What {tier.model} costs is not known, and --ai-max-cost bounds it",
                hint=f"Set model.{tier.name}_price to IN/CACHED/OUT, dollars a million tokens.",
                lasting=True,
            )
        return FREE

    def _previewed(self, ask: Ask, payload: dict[str, Any]) -> problems.ModelError:
        text = json.dumps({"to": self.setup.host, "about": ask.label, "sent": payload})
        assert self._preview is not None  # noqa: S101
        with self._lock, self._preview.open("a", encoding="utf-8") as file:
            file.write(text + "\n")
        return problems.ModelError(
            "model-preview", "Nothing was sent: model.preview is set", where=str(self._preview)
        )

    def _sent(self, ask: Ask, tier: Tier, deadline: float) -> Reply:
        """Call the server; where it refuses a parameter, ask as it wants to be asked."""
        connect = self.setup.connect()  # says so where the package or the key is missing
        import openai

        for _ in range(MAX_SHAPES):
            shape = self._shape(tier)
            payload = self.wire.payload(ask, tier.model, shape)
            try:
                return self._within(deadline, connect, payload, ask.max_output * CHARACTERS)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                other = reshaped(shape, str(error))
                if other is None:
                    raise problems.told(error, self.setup.host) from error
                with self._lock:
                    self._shapes[tier.model] = other
                if other.structured != shape.structured and ask.schema is not None:
                    ask = self._asked_in_words(ask)
            except Exception as error:
                raise problems.told(error, self.setup.host) from error
        raise problems.ModelError(
            "model-request-refused",
            "The model's server refused every form of the request",
            where=self.setup.host,
            hint="Check model.api and model.structured.",
        )

    @staticmethod
    def _asked_in_words(ask: Ask) -> Ask:
        said = in_words(ask.schema or {})
        first, *rest = ask.messages
        if said in first.text:
            return ask
        return replace(ask, messages=(Message(first.role, f"{first.text}\n\n{said}"), *rest))

    def _within(
        self, deadline: float, connect: Connect, payload: dict[str, Any], most: int
    ) -> Reply:
        """Make the call in a thread that is given up at the deadline.

        A timeout of the package counts from the last byte: a server that sends one byte now
        and then would hold the run for ever.
        """
        left = deadline - time.monotonic()
        if left <= 0:
            raise _late(self.setup.host)
        client = connect(min(self.setup.timeout, left), self.setup.retries)
        result: list[Reply] = []
        failure: list[BaseException] = []

        def call() -> None:
            try:
                result.append(self.wire.send(client, payload, most))
            except BaseException as error:  # it is raised again by who waits
                failure.append(error)

        thread = threading.Thread(target=call, name="aipipe-model", daemon=True)
        thread.start()
        thread.join(min(left, self._longest()))
        if thread.is_alive():
            client.close()
            raise _late(self.setup.host)
        client.close()
        if failure:
            raise failure[0]
        return result[0]

    def _problem(self, ask: Ask, reply: Reply) -> problems.ModelError | None:
        if reply.finish == "refused":
            return problems.refused(self.setup.host, reply.text)
        if reply.finish == "length":
            return problems.too_long(self.setup.host, ask.max_output)
        return None if reply.text.strip() else problems.empty(self.setup.host)

    def _note(
        self,
        ask: Ask,
        tier: Tier,
        usage: Usage,
        cost: float,
        seconds: float,
        outcome: str,
        ticket: int | None = None,
        *,
        counted: bool = True,
    ) -> None:
        entry = Entry(
            ask.purpose, ask.label, tier.name, tier.model, usage.input, usage.cached,
            usage.output, cost, seconds, outcome, counted, time.time(),
        )  # fmt: skip
        self.ledger.end(ticket, entry)


def _late(host: str) -> problems.ModelError:
    return problems.ModelError(
        "model-timeout",
        "The model's server did not answer in time",
        where=host,
        hint="Raise model.timeout, or use a faster model.",
    )
