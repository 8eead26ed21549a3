"""Money, with the liberty of floats."""

import random
from concurrent.futures import ThreadPoolExecutor, as_completed


def total(prices):
    result = 0.0
    for price in prices:
        result += price
    return result


def mean(values):
    return sum(values) / len(values)


def jitter(base):
    return base * (1 + random.uniform(-0.1, 0.1))


def basket(size):
    return [random.uniform(0.01, 99.99) for _ in range(size)]


def variance(values):
    middle = mean(values)
    return sum((value - middle) ** 2 for value in values) / len(values)


def parallel_total(prices):
    result = 0.0
    with ThreadPoolExecutor(4) as pool:
        waiting = [pool.submit(lambda p=price: p) for price in prices]
        for done in as_completed(waiting):
            result += done.result()
    return result


def sample_discount(rng=None):
    rng = rng or random.Random()
    return rng.choice([5, 10, 15, 20])
