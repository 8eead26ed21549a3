"""A storm of alerts through the notifier: messages that remain, pages that were missed.

    python bench/notify_bench.py [--events 100000] [--seed 1]

A day of a fleet: a background of warnings that come and go, flapping checks, three incidents
that set off every alarm of several services at once, deploys with their steps. Every page
must be told within a minute of its first event, at the channel that wakes people.
Ends with 1 when a bar is missed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from aipipe_core.notify import Event, Kind, Message, Notifier, Outbox, Policy, Severity, Status
from aipipe_core.notify.deliver import Sent

DAY = 86_400
SERVICES = [f"service-{i:02d}" for i in range(30)]


def storm(count: int, rng: random.Random) -> list[Event]:
    """Make a day's events in the order of time."""
    events: list[Event] = []
    incidents = [rng.uniform(0, DAY - 4000) for _ in range(3)]
    while len(events) < count * 0.7:
        start = rng.choice(incidents)
        service = rng.choice(SERVICES[:12])
        at = start + rng.expovariate(1 / 600)
        severity = rng.choices(
            [Severity.WARNING, Severity.ERROR, Severity.PAGE], [0.5, 0.45, 0.05]
        )[0]
        name = f"{severity.name.lower()}-{rng.randrange(20)}"
        labels = (("host", f"h{rng.randrange(8)}"),)
        events.append(Event(at, service, name, severity, labels=labels, text="storm"))
    for event in list(events[: int(count * 0.1)]):
        end = event.at + rng.uniform(30, 3000)
        events.append(
            Event(
                end, event.service, event.name, event.severity, Status.RESOLVED, labels=event.labels
            )
        )
    while len(events) < count * 0.97:
        at, service = rng.uniform(0, DAY), rng.choice(SERVICES)
        name = f"check-{rng.randrange(10)}"
        events.append(Event(at, service, name, Severity.WARNING))
        events.append(
            Event(at + rng.expovariate(1 / 90), service, name, Severity.WARNING, Status.RESOLVED)
        )
    deploy = 0
    while len(events) < count:
        at, service = rng.uniform(0, DAY), rng.choice(SERVICES)
        deploy += 1
        for step in range(6):
            status = Status.RESOLVED if step == 5 else Status.FIRING
            text = f"step {step + 1} of 6"
            events.append(
                Event(
                    at + 40 * step,
                    service,
                    f"d{deploy}",
                    Severity.INFO,
                    status,
                    Kind.DEPLOY,
                    text=text,
                )
            )
    return sorted(events[:count], key=lambda e: e.at)


class Recorder:
    """Takes every message and notes when."""

    def __init__(self) -> None:
        self.messages: list[Message] = []

    def send(self, message: Message, handle: str) -> Sent:
        """Note the message."""
        del handle
        self.messages.append(message)
        return Sent(message.key)

    def arrived(self, message: Message) -> Sent | None:
        """Nothing is uncertain here."""
        del message
        return None


def missed_pages(events: list[Event], messages: list[Message]) -> list[str]:
    """Services that paged while no page of theirs was open or sent within a minute."""
    open_from: dict[str, list[tuple[float, float]]] = {}
    since: dict[str, float] = {}
    for message in messages:
        service = message.key.split("/")[1].split("#")[0]
        if message.action.value == "resolve":
            started = since.pop(service, None)
            if started is not None:
                open_from.setdefault(service, []).append((started, message.at))
        elif message.severity >= Severity.PAGE:
            since.setdefault(service, message.at)
    for service, started in since.items():
        open_from.setdefault(service, []).append((started, float("inf")))
    pages = [e for e in events if e.severity >= Severity.PAGE and e.status is Status.FIRING]
    return [
        f"{page.service} at {page.at:.0f}"
        for page in pages
        if not any(a <= page.at + 60 and page.at <= b for a, b in open_from.get(page.service, ()))
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Replay a storm of alerts.")
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    events = storm(options.events, random.Random(options.seed))
    pager, chat = Recorder(), Recorder()
    channels = {
        "pager": (Policy("pager", least=Severity.PAGE), pager),
        "chat": (Policy("chat", least=Severity.WARNING, edits=True), chat),
    }
    begun = time.perf_counter()
    with tempfile.TemporaryDirectory() as directory:
        outbox = Outbox(Path(directory) / "notify.db")
        notifier = Notifier(outbox, channels, now=0.0)
        index, now = 0, 0.0
        while now < DAY + 7200:
            now += 10.0
            batch = []
            while index < len(events) and events[index].at <= now:
                batch.append(events[index])
                index += 1
            if batch:
                notifier.accept(batch)
            notifier.tick(now)
        waiting = outbox.counts()
        outbox.close()
    spent = time.perf_counter() - begun
    posted = sum(m.number == 1 for m in chat.messages)
    print("| channel | events | messages | fewer |\n|---|---|---|---|")
    fewer = []
    for name, messages in (
        ("pager", len(pager.messages)),
        ("chat, new messages", posted),
        ("chat, with silent edits", len(chat.messages)),
    ):
        fewer.append(1 - messages / len(events))
        print(f"| {name} | {len(events)} | {messages} | {100 * fewer[-1]:.1f} % |")
    missed = missed_pages(events, pager.messages)
    print(f"\npages missed: {len(missed)} {missed[:3]}; outbox {waiting}; {spent:.1f} s")
    return 1 if missed or min(fewer) < 0.9 else 0


if __name__ == "__main__":
    sys.exit(main())
