"""Listeners, handlers, the log."""

import logging
import signal
import sys
import warnings

import pytest

from shop import events


def test_listener_hears():
    heard = []
    events.subscribe(heard.append)
    events.publish("sale")
    assert heard == ["sale"]


def test_nobody_listens():
    assert events.publish("silence") == 0


def test_quiet_log():
    logging.disable(logging.CRITICAL)
    assert not events.log.isEnabledFor(logging.ERROR)


def test_errors_are_logged():
    assert events.log.isEnabledFor(logging.ERROR)


def test_stop_handler_is_set():
    events.on_stop(lambda *_: None)
    assert callable(signal.getsignal(signal.SIGUSR1))


def test_no_stop_handler():
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_history_is_short():
    events.publish("only")
    assert events.history == ["only"]


@pytest.fixture
def fresh(monkeypatch):
    monkeypatch.setattr(events, "listeners", [])
    monkeypatch.setattr(events, "history", [])


def test_listener_with_care(fresh):
    heard = []
    events.subscribe(heard.append)
    assert events.publish("sale") == 1
    assert heard == ["sale"]


def test_history_with_care(fresh):
    events.publish("a")
    events.publish("b")
    assert events.history == ["a", "b"]


def test_handler_with_care():
    old = signal.getsignal(signal.SIGUSR2)
    try:
        signal.signal(signal.SIGUSR2, signal.SIG_IGN)
        assert signal.getsignal(signal.SIGUSR2) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGUSR2, old)


def test_warning_is_given():
    with pytest.warns(UserWarning):
        warnings.warn("careful", UserWarning, stacklevel=1)


def test_recursion_is_deep_enough():
    assert sys.getrecursionlimit() >= 100


def test_hook_is_replaced():
    sys.excepthook = lambda *_: None
    assert sys.excepthook is not sys.__excepthook__


def test_hook_is_the_interpreters():
    assert sys.excepthook is sys.__excepthook__
