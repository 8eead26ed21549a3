"""Threads and tasks."""

import asyncio
import threading
import time


class Counter:
    def __init__(self):
        self.value = 0

    def add(self, times):
        for _ in range(times):
            current = self.value
            self.value = self._next(current)

    def _next(self, value):
        return value + 1


class SafeCounter(Counter):
    def __init__(self):
        super().__init__()
        self._lock = threading.Lock()

    def add(self, times):
        for _ in range(times):
            with self._lock:
                self.value += 1


class Mailer:
    """Sends in the background."""

    def __init__(self):
        self.sent = []
        self.done = threading.Event()

    def send(self, text):
        def work():
            time.sleep(0.01)
            self.sent.append(text)
            self.done.set()

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        return thread


class Printer:
    """Prints labels."""

    def send(self, text):
        return f"printed {text}"


class Lazy:
    """Makes its value once, as long as nobody is in a hurry."""

    def __init__(self, make):
        self._make, self._value = make, None
        self.made = 0

    def get(self):
        if self._value is None:
            value = self._make()
            self.made += 1
            self._value = value
        return self._value


async def fetch(name, seconds, log):
    await asyncio.sleep(seconds)
    log.append(name)
    return name


async def first_of(*awaitables):
    done, pending = await asyncio.wait(
        [asyncio.ensure_future(one) for one in awaitables], return_when=asyncio.FIRST_COMPLETED
    )
    for one in pending:
        one.cancel()
    return done.pop().result()


class Stock:
    """An asynchronous stock; ``take`` looks, waits, then writes."""

    def __init__(self, amount):
        self.amount = amount

    async def take(self):
        if self.amount > 0:
            await asyncio.sleep(0.001)
            self.amount -= 1
            return True
        return False
