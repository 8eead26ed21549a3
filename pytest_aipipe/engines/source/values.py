"""Expressions worth passing, with what they need."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Value:
    """An expression, the statements that must run before it, and the imports it needs."""

    expr: str
    setup: tuple[str, ...] = ()
    imports: tuple[str, ...] = ()


TEXTS = ("'text'", "''", "'a b'", "'1'", "'x' * 100", "'é'")
NUMBERS = ("1", "0", "-1", "2", "10", "1.5", "-0.5")
LISTS = ("[1, 2, 3]", "[]", "['a', 'b']", "[3, 1, 2, 1]", "[('a', 1), ('b', 2)]")
DICTS = ("{'a': 1}", "{}", "{'a': 1, 'b': 2}")
FUNCTIONS = (
    "lambda *args, **kwargs: args[0] if args else None",
    "str",
    "len",
    "lambda a, /, b=1, *args, c=2, **kwargs: (a, b, args, c, kwargs)",
    "lambda a, b, /, c: (a, b, c)",
    "lambda *, a, b=2: (a, b)",
    "lambda: 1",
    "lambda a: 1 / 0",
    "functools.partial(int, base=2)",
    "functools.partial(lambda a, /, b: (a, b), 1)",
    "dict.get",
    "print",
)
ANYTHING = (
    *TEXTS[:2],
    "1",
    "None",
    "[1, 2, 3]",
    "{'a': 1}",
    "0",
    "object()",
    "True",
    "[]",
    "-1",
    "b'ab'",
)

BY_TYPE: dict[str, tuple[str, ...]] = {
    "str": TEXTS,
    "int": ("1", "0", "-1", "2", "10"),
    "float": ("1.5", "0.0", "-1.0", "float('inf')", "float('nan')"),
    "bool": ("True", "False"),
    "bytes": ("b'text'", "b''"),
    "bytearray": ("bytearray(b'text')",),
    "complex": ("1 + 2j",),
    "None": ("None",),
    "NoneType": ("None",),
    "list": LISTS,
    "List": LISTS,
    "Sequence": (*LISTS, "(1, 2)"),
    "MutableSequence": LISTS,
    "Iterable": (*LISTS, "iter([1, 2, 3])"),
    "Collection": LISTS,
    "Iterator": ("iter([1, 2, 3])", "iter([])"),
    "Generator": ("(n for n in [1, 2, 3])",),
    "tuple": ("(1, 2)", "()", "('a', 'b')"),
    "Tuple": ("(1, 2)", "()"),
    "set": ("{1, 2}", "set()"),
    "Set": ("{1, 2}", "set()"),
    "frozenset": ("frozenset({1, 2})",),
    "dict": DICTS,
    "Dict": DICTS,
    "Mapping": DICTS,
    "MutableMapping": DICTS,
    "object": ("object()", "1", "'text'", "None"),
    "Any": ANYTHING,
    "type": ("int", "str"),
    "Type": ("int", "str"),
    "Callable": FUNCTIONS,
    "range": ("range(3)",),
    "slice": ("slice(0, 2)", "slice(None)"),
    "Exception": ("ValueError('wrong')",),
    "BaseException": ("ValueError('wrong')",),
    "ValueError": ("ValueError('wrong')",),
}

IMPORTED: dict[str, tuple[tuple[str, ...], str]] = {
    "Path": (("Path('folder/file.txt')", "Path('.')"), "from pathlib import Path"),
    "PurePath": (("PurePath('folder/file.txt')",), "from pathlib import PurePath"),
    "datetime": (
        ("datetime(2024, 1, 2, 3, 4, 5)", "datetime(1970, 1, 1)", "datetime.min"),
        "from datetime import datetime",
    ),
    "date": (("date(2024, 1, 2)", "date(2024, 2, 29)"), "from datetime import date"),
    "time": (("time(3, 4, 5)", "time()"), "from datetime import time"),
    "timedelta": (
        ("timedelta(days=1)", "timedelta(0)", "timedelta(seconds=-1)"),
        "from datetime import timedelta",
    ),
    "Decimal": (("Decimal('1.5')", "Decimal('NaN')", "Decimal(0)"), "from decimal import Decimal"),
    "Fraction": (("Fraction(1, 3)",), "from fractions import Fraction"),
    "UUID": (("UUID(int=1)",), "from uuid import UUID"),
    "StringIO": (("StringIO('one\\ntwo\\n')", "StringIO()"), "from io import StringIO"),
    "BytesIO": (("BytesIO(b'one\\ntwo\\n')", "BytesIO()"), "from io import BytesIO"),
    "TextIO": (("StringIO('one\\ntwo\\n')", "StringIO()"), "from io import StringIO"),
    "BinaryIO": (("BytesIO(b'one\\ntwo\\n')",), "from io import BytesIO"),
    "IO": (("StringIO('one\\ntwo\\n')",), "from io import StringIO"),
    "Pattern": (("re.compile('a+')",), "import re"),
    "Match": ((r"re.search(r'(\w)(\w+)(.*)', 'one two')",), "import re"),
    "Signature": (
        ("inspect.signature(lambda a, /, b, c=1, *args, d, e=2, **kwargs: None)",),
        "import inspect",
    ),
    "Logger": (("logging.getLogger('test')",), "import logging"),
    "LogRecord": (("logging.makeLogRecord({'msg': 'text'})",), "import logging"),
    "timezone": (("timezone.utc",), "from datetime import timezone"),
    "tzinfo": (
        ("timezone.utc", "timezone(timedelta(hours=5, minutes=45))"),
        "from datetime import timedelta, timezone",
    ),
    "ModuleType": (("ModuleType('made')",), "from types import ModuleType"),
    "EmailMessage": (("EmailMessage()",), "from email.message import EmailMessage"),
    "OrderedDict": (("OrderedDict(a=1)",), "from collections import OrderedDict"),
    "Counter": (("Counter('aab')",), "from collections import Counter"),
    "defaultdict": (("defaultdict(list)",), "from collections import defaultdict"),
    "deque": (("deque([1, 2])",), "from collections import deque"),
    "Namespace": (("Namespace()",), "from argparse import Namespace"),
    "SimpleNamespace": (("SimpleNamespace()",), "from types import SimpleNamespace"),
    "Lock": (("Lock()",), "from threading import Lock"),
    "Condition": (("Condition()",), "from threading import Condition"),
    "Event": (("Event()",), "from threading import Event"),
    "Integral": (("3", "0"), ""),
    "Number": (("3", "1.5"), ""),
}

BY_NAME: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("text", "string", "str", "name", "s", "msg", "message", "title", "label", "prefix", "suffix",
      "word", "line", "content", "pattern", "sep", "char", "description", "secret", "password",
      "token", "salt", "secret_key", "api_key", "access_key", "public_key", "private_key"), TEXTS),
    (("path", "filename", "file_path", "fname"), ("'file.txt'", "''")),
    (("url", "uri", "href"), ("'https://example.org/a?b=1#c'", "'/a'", "'example'")),
    (("count", "n", "num", "size", "length", "limit", "width", "maxsize", "index", "idx", "i",
      "max_len", "maxlen", "start", "stop", "step", "depth", "level", "value", "number", "times"),
     ("1", "0", "-1", "2", "5", "10", "100")),
    (("items", "iterable", "src", "seq", "values", "lst", "data", "elements", "lines", "args"),
     (*LISTS, "iter([1, 2, 3])")),
    (("func", "function", "fn", "callback", "f", "key", "predicate", "pred", "method", "callable",
      "factory", "default_factory", "wrapper", "converter"),
     FUNCTIONS),
    (("mapping", "dict", "d", "kwargs", "params", "options", "config", "headers", "environ"),
     DICTS),
    (("encoding",), ("'utf-8'", "'latin-1'", "'no-such-encoding'")),
    (("cls", "klass", "type"), ("int", "str", "dict")),
    (("stream", "fp", "file", "fileobj", "fh", "fo", "f"), ("io.StringIO('one\\ntwo\\n')",)),
    (("exc", "error", "exception", "err"), ("ValueError('wrong')",)),
)  # fmt: skip


ITEM_KEYS = ("'a'", "1", "0", "(1, 2)", "None")
"""What a container is asked for; a ``key`` elsewhere is a function more often."""
_OF_ITEMS = frozenset({"__getitem__", "__setitem__", "__delitem__", "__contains__", "__missing__",
                       "get", "pop", "setdefault"})  # fmt: skip
_ITEM_NAMES = frozenset({"key", "k", "item"})


def is_item_key(method: str, name: str) -> bool:
    """Return whether ``method`` takes what its container holds something under as ``name``."""
    return method in _OF_ITEMS and name.strip("_").lower() in _ITEM_NAMES


_TELLING = 3  # shorter names say nothing as a part of a longer one


def by_name(name: str) -> tuple[str, ...]:
    """Return what a parameter of this name usually takes; nothing where the name says nothing."""
    plain = name.strip("_").lower()
    for names, values in BY_NAME:
        if plain in names:
            return values
    for names, values in BY_NAME:
        if any(
            len(n) >= _TELLING and (plain.endswith("_" + n) or plain.startswith(n + "_"))
            for n in names
        ):
            return values
    flags = ("is_", "has_", "use_", "with_", "no_", "allow_", "include_", "ignore_", "force_")
    return ("True", "False") if plain.startswith(flags) else ()


def typed(name: str) -> tuple[Value, ...]:
    """Return values of a type by its unqualified name."""
    if name in BY_TYPE:
        return tuple(Value(expr) for expr in BY_TYPE[name])
    if name in IMPORTED:
        exprs, statement = IMPORTED[name]
        return tuple(Value(e, imports=(statement,) if statement else ()) for e in exprs)
    return ()
