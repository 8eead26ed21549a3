"""Listeners and the log."""

import logging
import signal

log = logging.getLogger("shop.events")
listeners = []
history = []


def subscribe(listener):
    listeners.append(listener)


def publish(event):
    history.append(event)
    for listener in listeners:
        listener(event)
    log.info("published %s", event)
    return len(listeners)


def on_stop(handler):
    signal.signal(signal.SIGUSR1, handler)
