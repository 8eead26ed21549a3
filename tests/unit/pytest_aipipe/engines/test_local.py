"""The engine as a whole: a module, a gap, and a test that closes it."""

from __future__ import annotations

from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING, Any

import pytest

from pytest_aipipe.engines import default_engines
from pytest_aipipe.engines.local import LocalEngine, likeliest_first
from pytest_aipipe.engines.techniques.amplify import Amplify
from pytest_aipipe.engines.techniques.force import Force
from pytest_aipipe.engines.techniques.module_level import ModuleLevel
from pytest_aipipe.engines.techniques.search import Search
from pytest_aipipe.generate.model import Brood, Candidate, Gap, KnownTest, Outcome, Scene

if TYPE_CHECKING:
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.techniques.base import Proposals

CASES: list[tuple[str, str, str, str]] = [
    ("a number beyond a limit", "def f(n):\n    if n > 4711:\n        return 'many'\n    return 'few'",
     "f", "'many'"),
    ("a text that a pattern matches",
     "import re\n\n\ndef f(text):\n    if re.match(r'v\\d+\\.\\d{2}-rc', text):\n        return 'version'\n    return None",
     "f", "'version'"),
    ("a key that must be there", "def f(data):\n    if 'colour' in data:\n        return 'c'\n    return 'n'",
     "f", "'c'"),
    ("an instance of a type", "def f(x):\n    if isinstance(x, dict):\n        return 'd'\n    return 'o'",
     "f", "'d'"),
    ("an element of a list", "def f(items):\n    for item in items:\n        if item == 'stop-here':\n            return 'stopped'\n    return None",
     "f", "'stopped'"),
    ("a keyword argument", "def f(**options):\n    if options.get('strict'):\n        raise ValueError('strict')\n    return 1",
     "f", "raise ValueError"),
    ("an optional parameter", "def f(x, mode='fast'):\n    if mode == 'slow':\n        return 's'\n    return x",
     "f", "'s'"),
    ("a method on state given to the constructor",
     "class A:\n    def __init__(self, limit):\n        self._limit = limit\n\n    def full(self):\n        if self._limit is None:\n            return 'never'\n        return 'perhaps'",
     "A.full", "'never'"),
    ("an attribute set later",
     "class A:\n    def __init__(self):\n        self.closed = False\n\n    def read(self):\n        if self.closed:\n            raise OSError('closed')\n        return ''",
     "A.read", "raise OSError"),
    ("an operator",
     "class A:\n    def __add__(self, other):\n        if isinstance(other, int):\n            return 'sum'\n        return NotImplemented",
     "A.__add__", "'sum'"),
    ("a property", "class A:\n    @property\n    def size(self):\n        return 42", "A.size", "42"),
    ("a class method",
     "class A:\n    @classmethod\n    def of(cls, text):\n        return cls()", "A.of", "return cls()"),
    ("a private function through its caller",
     "def _check(n):\n    if n < 0:\n        raise ValueError('negative')\n\n\ndef f(n):\n    _check(n)\n    return n",
     "_check", "raise ValueError"),
    ("a closure", "def outer(func):\n    def wrapper(*args):\n        return func(*args)\n    return wrapper",
     "outer.wrapper", "return func"),
    ("a helper within a function, by what is passed to it",
     "def f(items, key=bool, *keys):\n    def made(k):\n        if isinstance(k, str):\n            return k.upper\n        return k\n    calls = [made(key)] + [made(k) for k in keys]\n    return len(calls) + len(items)",
     "f.made", "return k.upper"),
    ("what a given function gives back",
     "def outer(method, cache):\n    def wrapper(self):\n        c = cache(self)\n        if c is None:\n            return 'no cache'\n        return method(self)\n    return wrapper",
     "outer.wrapper", "'no cache'"),
    ("a hash that may differ from run to run",
     "class A:\n    def __init__(self, n):\n        self.n = n\n\n    def __hash__(self):\n        return hash((self.n, None))\n\n    def __eq__(self, other):\n        return self.n == other.n",
     "A.__hash__", "return hash("),
    ("a helper within a method",
     "class A:\n    def run(self, mode):\n        def step(how):\n            if how == 'slow':\n                return 10\n            return 1\n        return [step(mode) for _ in range(2)]",
     "A.run.step", "return 10"),
    ("a coroutine", "async def f(n):\n    if n == 3:\n        return 'three'\n    return n", "f", "'three'"),
    ("a generator", "def f(n):\n    for i in range(n):\n        yield i", "f", "yield i"),
    ("an object used by its attributes",
     "def f(user):\n    if user.is_admin and user.profile.level > 3:\n        return 'root'\n    return user.name.upper()",
     "f", "user.name.upper()"),
    ("an abstract base",
     "from abc import ABC, abstractmethod\n\n\nclass A(ABC):\n    @abstractmethod\n    def area(self): ...\n\n    def twice(self):\n        return self.area() * 2",
     "A.twice", "return self.area()"),
    ("an abstract base whose method takes annotated arguments with commas",
     "import typing as t\nfrom abc import ABC, abstractmethod\n\n\nclass A(ABC):\n    def __init__(self, on=True):\n        self.on = on\n\n    @abstractmethod\n    def area(self, by: t.Callable[..., int], *sizes: int, unit: t.Any = t) -> int: ...\n\n    def twice(self):\n        return 2",
     "A.twice", "return 2"),
    ("an abstract base, by a subclass that says how it is built",
     "from abc import ABC, abstractmethod\n\n\nclass A(ABC):\n    def __init__(self, on=True):\n        self.on = on\n\n    @abstractmethod\n    def area(self, by): ...\n\n    def each(self):\n        if not self.on:\n            yield self.area('off')\n            self.done = 1\n            return\n        yield 0\n\n\nclass Square(A):\n    def area(self, by):\n        if by != 'off':\n            raise ValueError(by)\n        return 4",
     "A.each", "self.done = 1"),
    ("an asynchronous iterator, begun before it is asked",
     "class A:\n    def __init__(self, most=2):\n        self.most = most\n\n    def __aiter__(self):\n        self.seen = 0\n        return self\n\n    async def __anext__(self):\n        if self.seen >= self.most:\n            raise StopAsyncIteration\n        self.seen += 1\n        return self.seen",
     "A.__anext__", "raise StopAsyncIteration"),
    ("an asynchronous context",
     "class A:\n    async def __aenter__(self):\n        self.open = True\n        return self\n\n    async def __aexit__(self, *error):\n        if self.open:\n            self.open = False",
     "A.__aexit__", "self.open = False"),
    ("a handler of a failing call",
     "import json\n\n\ndef f(text):\n    try:\n        return json.loads(text)\n    except RecursionError:\n        return 'too deep'",
     "f", "'too deep'"),
    ("a missing optional import",
     "def f():\n    try:\n        import colorsys\n    except ImportError:\n        return 'plain'\n    return colorsys",
     "f", "'plain'"),
    ("another platform",
     "import sys\n\n\ndef f():\n    if sys.platform == 'win32':\n        return 'windows'\n    return 'other'",
     "f", "'windows'"),
    ("a program that another platform starts is not found",
     "import sys\n\nif sys.platform == 'win32':\n    from subprocess import Popen\n\n\ndef f(command):\n    if sys.platform == 'win32':\n        try:\n            p = Popen(command)\n        except FileNotFoundError:\n            return 'not found'\n        return p.returncode\n    return 'other'",
     "f", "return 'not found'"),
    ("a program that another platform starts",
     "import sys\n\nif sys.platform == 'win32':\n    from subprocess import Popen\n\n\ndef f(command):\n    if sys.platform == 'win32':\n        p = Popen(command)\n        if p.returncode == 1:\n            return 'failed'\n    return 'other'",
     "f", "return 'failed'"),
    ("a handler of a module that another platform has",
     "import sys\n\nif sys.platform == 'win32':\n    import winreg\n\n\ndef f(key):\n    if sys.platform == 'win32':\n        try:\n            return winreg.OpenKey(key)\n        except OSError:\n            return 'no key'\n    return 'other'",
     "f", "return 'no key'"),
    ("a context that its block leaves by an error",
     "from contextlib import contextmanager\n\n\n@contextmanager\ndef f(name):\n    try:\n        yield name\n    except BaseException:\n        name = None\n        raise",
     "f", "name = None"),
    ("a context that its block leaves by the error that it catches",
     "from contextlib import contextmanager\n\n\n@contextmanager\ndef f(name):\n    try:\n        yield name\n    except (LookupError, Exception) as error:\n        if isinstance(error, LookupError):\n            name = None",
     "f", "name = None"),
    ("a text that its name tells more of than its type",
     "import codecs\nfrom typing import Optional\n\n\ndef f(encoding: Optional[str]):\n    if encoding is not None:\n        codecs.lookup(encoding)\n        return 'known'\n    return 'none'",
     "f", "return 'known'"),
    ("a state of another shape than its own",
     "class A:\n    def __init__(self, name=None):\n        self.name = name\n\n    def __getstate__(self):\n        return 'shop', self.name\n\n    def __setstate__(self, state):\n        if isinstance(state, str):\n            name = None\n        else:\n            state, name = state\n        self.name = name",
     "A.__setstate__", "            name = None"),
    ("a variable of the environment",
     "import os\n\n\ndef f():\n    if os.environ.get('SHOP_DEBUG'):\n        return 'debug'\n    return 'quiet'",
     "f", "'debug'"),
    ("a module attribute looked up late",
     "def __getattr__(name):\n    if name == 'version':\n        return '1'\n    raise AttributeError(name)",
     "__getattr__", "return '1'"),
    ("a sequence of calls",
     "class A:\n    def __init__(self):\n        self._open = None\n\n    def start(self):\n        self._open = object()\n\n    def stop(self):\n        if self._open is None:\n            raise RuntimeError('not started')\n        return 'stopped'",
     "A.stop", "'stopped'"),
    ("a race", "import threading\n\n\ndef once(func):\n    lock = threading.RLock()\n    done = []\n\n    def wrapper():\n        with lock:\n            if done:\n                return done[0]\n            done.append(func())\n            return done[0]\n    return wrapper",
     "once.wrapper", "return done[0]"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("source", "symbol", "text"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_the_engine_reaches(world: Any, source: str, symbol: str, text: str) -> None:
    here = world(source)
    candidate = here.close(symbol, text)
    assert candidate.name.startswith("test_")
    assert "import *" not in "\n".join(candidate.prelude)


def test_a_forced_surrounding_says_that_it_is_mocked(world: Any) -> None:
    here = world("""
        import json


        def f(text):
            try:
                return json.loads(text)
            except RecursionError:
                return 'too deep'
    """)
    assert here.close("f", "'too deep'", engine=LocalEngine([Force()])).mocked


def test_an_existing_test_is_amplified_with_a_parameter_that_the_guard_tests(world: Any) -> None:
    here = world("""
        class Basket:
            def __init__(self, rows, key):
                if key(rows) != 'k-77':
                    raise ValueError('wrong key')
                self.rows = rows

            def total(self, currency='EUR'):
                if currency == 'XAU':
                    return 'gold'
                return sum(self.rows)
    """).knows(
        """
        from shop import Basket

        def make():
            return Basket([1, 2], lambda rows: 'k-77')

        def test_total():
            basket = make()
            assert basket.total() == 3
        """,
        "test_total",
    )
    here.tests[0] = here.tests[0].__class__(
        here.tests[0].nodeid, here.tests[0].source_path, "test_total", (), {},
        {here.path: frozenset({here.line("if key"), here.line("if currency"), here.line("return sum")})}, {},
    )  # fmt: skip
    candidate = here.close("Basket.total", "'gold'", engine=LocalEngine([Amplify(), Search()]))
    assert "currency='XAU'" in candidate.function
    assert any("def make" in statement for statement in candidate.prelude)


def test_a_method_that_only_a_function_can_name_is_called_on_what_a_test_holds(world: Any) -> None:
    here = world("""
        def counted(method):
            class Counter:
                def __init__(self):
                    self.calls = 0

                def __call__(self, number):
                    self.calls += 1
                    return method(number)

                def reset(self):
                    self.calls = 0
                    return 'reset'

            return Counter()
    """).knows(
        """
        from shop import counted

        class Shop:
            price = staticmethod(counted(abs))

        def test_price():
            shop = Shop()
            assert shop.price(-3) == 3
        """,
        "test_price",
    )
    ran = {here.path: frozenset({here.line("self.calls += 1"), here.line("return method")})}
    here.tests[0] = replace(here.tests[0], lines=ran)
    candidate = here.close(
        "counted.Counter.reset", "return 'reset'", engine=LocalEngine([Amplify()])
    )
    assert "shop.price.reset()" in candidate.function


def test_candidates_are_the_same_for_the_same_scene(world: Any) -> None:
    def first_batches() -> list[str]:
        here = world("def f(a, b=2):\n    if a > b * 1000:\n        return 'x'\n    return 'y'")
        proposals = LocalEngine().propose(here.gap("f", "'x'"), here.scene())
        found: list[str] = []
        batch = next(proposals)
        for _ in range(6):
            found += [c.function for c in batch]
            batch = proposals.send([Outcome("passed") for _ in batch])
        return found

    assert first_batches() == first_batches()


def test_no_candidate_is_tried_twice(world: Any) -> None:
    here = world("def f(a):\n    if a == object():\n        return 'never'\n    return 'y'")
    with pytest.raises(AssertionError, match="did not reach"):
        here.close("f", "'never'", most=150)
    alone = [c for c in here.tried if not isinstance(c, Brood)]  # a brood varies at each turn
    texts = [c.function.replace(c.name, "") + "".join(c.prelude) for c in alone]
    assert len(texts) == len(set(texts))


def test_a_file_that_cannot_be_parsed_has_no_candidates() -> None:
    gap = Gap("a.py", "a", "f", frozenset({1}), frozenset())
    scene = Scene(
        root=__import__("pathlib").Path("/project"), sources={"a.py": "def f(:\n"}, added={}, tests=[],
        calls=[], test_sources={}, fixtures=frozenset(), rng=Random(1),
    )  # fmt: skip
    assert list(default_engines()[0].propose(gap, scene)) == []


def test_a_definition_that_a_later_import_hides_is_called_without_that_import(world: Any) -> None:
    here = world("""
        class Basket:
            def total(self):
                return 'own'

        try:
            from string import Template as Basket
        except ImportError:
            pass
    """)
    module = ModuleLevel().propose(here.situation("Basket.total", "'own'"))
    texts = [candidate.function for candidate in next(module)]
    assert any(
        "setitem(sys.modules, 'string', None)" in text and "Basket = module.Basket" in text
        for text in texts
    )


def test_a_text_that_a_guard_asks_for_becomes_a_path_where_a_path_is_hinted(world: Any) -> None:
    here = world("""
        from pathlib import Path

        def pager(path: Path) -> str:
            if path.name == 'less':
                return 'raw'
            return 'plain'
    """)
    assert "Path('less')" in here.close("pager", "'raw'").function


def test_where_much_is_open_beside_what_tests_run_these_are_bred_first(world: Any) -> None:
    here = world("""
        def read(text):
            if text == 'a':
                return 1
            if text == 'b':
                return 2
            if text == 'c':
                return 3
            if text == 'd':
                return 4
            return 0
    """).knows("from shop import read\n\ndef test_read():\n    assert read('') == 0", "test_read")
    texts = ["return 1", "return 2", "return 3", "return 4", "== 'b'", "== 'c'", "== 'd'", "== 'a'"]
    near = here.tests[0]
    for ran, wanted in ((frozenset[int](), "examples"), (frozenset({2, 4, 6, 8, 10}), "breed")):
        here.tests[0] = KnownTest(
            near.nodeid, near.source_path, near.qualname, (), {}, {here.path: ran}, {}
        )
        order = likeliest_first(LocalEngine().order, here.situation("read", *texts))
        assert order[0].name == wanted


def test_an_iterator_that_may_be_endless_is_asked_for_its_first_items(world: Any) -> None:
    shop = world(
        """
        class Counter:
            def __iter__(self):
                for n in range(1000):
                    yield n

        class Ticker:
            def __aiter__(self):
                self.left = 1000
                return self

            async def __anext__(self):
                self.left -= 1
                if not self.left:
                    raise StopAsyncIteration
                return self.left
        """
    )
    made = shop.close("Counter.__iter__", "yield n")
    assert "list(islice(counter, 20))" in made.function
    made = shop.close("Ticker.__anext__", "return self.left")
    assert "async for item in ticker:" in made.function
    assert "if len(found) == 20:" in made.function


def test_an_engine_of_one_technique_ends_where_that_has_nothing_new(world: Any) -> None:
    here = world(
        """
        def price(count):
            if count > 10 ** 40:
                return 0
            return count
        """
    )
    with pytest.raises(AssertionError, match="candidates did not reach"):
        here.close("price", "return 0", engine=LocalEngine([Once()]))


class Once:
    """Proposes the same call each time it is asked."""

    name = "once"

    def propose(self, _: Situation) -> Proposals:
        text = "def test_it():\n    from shop import price\n\n    price(1)\n"
        yield [Candidate(self.name, "test_it", text)]
