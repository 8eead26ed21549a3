"""Threads, tasks, patience."""

import asyncio
import queue
import threading
import time

from shop import workers


def test_counter_counts():
    counter = workers.Counter()
    threads = [threading.Thread(target=counter.add, args=(50,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.value == 200


def test_mail_is_sent():
    mailer = workers.Mailer()
    mailer.send("hello")
    time.sleep(0.05)
    assert mailer.sent == ["hello"]


def test_mail_to_two():
    mailer = workers.Mailer()
    mailer.send("a")
    mailer.send("b")
    time.sleep(0.1)
    assert sorted(mailer.sent) == ["a", "b"]


def test_made_once():
    lazy = workers.Lazy(lambda: time.sleep(0.001) or "value")
    threads = [threading.Thread(target=lazy.get) for _ in range(3)]
    for thread in threads:
        thread.start()
        time.sleep(0.002)
    for thread in threads:
        thread.join()
    assert lazy.made == 1


def test_worker_is_quick():
    done = threading.Event()
    threading.Thread(target=done.set).start()
    assert done.wait(0.05)


def test_results_come_in_order():
    results = []
    threads = [threading.Thread(target=results.append, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    time.sleep(0.02)
    assert results == [0, 1, 2, 3]


def test_safe_counter():
    counter = workers.SafeCounter()
    threads = [threading.Thread(target=counter.add, args=(50,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counter.value == 200


def test_mail_is_waited_for():
    mailer = workers.Mailer()
    mailer.send("hello")
    assert mailer.done.wait(10)
    assert mailer.sent == ["hello"]


def test_mail_is_joined():
    mailer = workers.Mailer()
    mailer.send("hello").join()
    assert mailer.sent == ["hello"]


def test_queue_gives_in_order():
    box = queue.Queue()
    thread = threading.Thread(target=lambda: [box.put(n) for n in range(3)])
    thread.start()
    assert [box.get(timeout=10) for _ in range(3)] == [0, 1, 2]
    thread.join()


def test_made_once_alone():
    lazy = workers.Lazy(lambda: "value")
    assert lazy.get() == lazy.get()
    assert lazy.made == 1


def test_fetch_order():
    async def run():
        log = []
        await asyncio.gather(
            workers.fetch("slow", 0.03, log),
            workers.fetch("quick", 0.01, log),
            workers.fetch("middle", 0.02, log),
        )
        return log

    assert asyncio.run(run()) == ["quick", "middle", "slow"]


def test_first_wins():
    async def run():
        log = []
        return await workers.first_of(
            workers.fetch("b", 0.02, log), workers.fetch("a", 0.01, log)
        )

    assert asyncio.run(run()) == "a"


def test_background_task_is_done():
    async def run():
        log = []
        task = asyncio.ensure_future(workers.fetch("x", 0.01, log))
        await asyncio.sleep(0.02)
        seen = list(log)
        await task
        return seen

    assert asyncio.run(run()) == ["x"]


def test_stock_in_time():
    async def run():
        stock = workers.Stock(1)
        return await asyncio.wait_for(stock.take(), timeout=0.05)

    assert asyncio.run(run())


def test_stock_is_not_oversold():
    async def run():
        stock = workers.Stock(1)
        first = asyncio.ensure_future(stock.take())
        await asyncio.sleep(0.005)
        second = await stock.take()
        return [await first, second]

    assert asyncio.run(run()) == [True, False]


def test_gather_keeps_the_order():
    async def run():
        log = []
        return await asyncio.gather(
            workers.fetch("b", 0.02, log), workers.fetch("a", 0.01, log)
        )

    assert asyncio.run(run()) == ["b", "a"]


def test_background_task_is_awaited():
    async def run():
        log = []
        task = asyncio.ensure_future(workers.fetch("x", 0.01, log))
        await task
        return log

    assert asyncio.run(run()) == ["x"]


def test_stock_alone():
    async def run():
        return await asyncio.wait_for(workers.Stock(1).take(), timeout=10)

    assert asyncio.run(run())


def test_tasks_start_in_order():
    async def run():
        log = []

        async def note(name):
            log.append(name)

        await asyncio.gather(note(1), note(2), note(3))
        return log

    assert asyncio.run(run()) == [1, 2, 3]
