"""Stand-ins for well-known surroundings: processes, streams, terminals, programs, the clock."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Fake:
    """Statements that put a stand-in in place, what they need, and what they amount to."""

    lines: tuple[str, ...]
    imports: tuple[str, ...]
    note: str


_PROCESS = (
    "def start(*args, **kwargs):\n"
    "    return SimpleNamespace(\n"
    "        args=args, pid=1, returncode={code}, stdin=StringIO(), stdout=StringIO('text'),\n"
    "        stderr=StringIO(), wait=lambda *args, **kwargs: {code}, poll=lambda: {code},\n"
    "        communicate=lambda *args, **kwargs: ('text', ''), kill=lambda: None,\n"
    "        terminate=lambda: None, send_signal=lambda number: None,\n"
    "    )\n"
)
_DONE = (
    "def run(*args, **kwargs):\n"
    "    return SimpleNamespace(args=args, returncode={code}, stdout='text', stderr='')\n"
)
_NEEDED = ("from io import StringIO", "from types import SimpleNamespace")
_VALUES: dict[str, tuple[str, ...]] = {
    "subprocess.call": ("0", "1"),
    "subprocess.check_call": ("0",),
    "subprocess.check_output": ("'text'", "b'text'"),
    "subprocess.getoutput": ("'text'",),
    "os.system": ("0", "1"),
    **{f"os.exec{how}": ("None",) for how in ("l", "le", "lp", "lpe", "v", "ve", "vp", "vpe")},
    "shutil.which": ("None", "'/usr/bin/program'"),
    "os.path.exists": ("True", "False"),
    "os.path.isfile": ("True", "False"),
    "os.path.isdir": ("True", "False"),
    "os.access": ("True", "False"),
    "os.getuid": ("0", "1000"),
    "os.get_terminal_size": ("(80, 24)",),
    "shutil.get_terminal_size": ("(80, 24)", "(10, 2)"),
    "getpass.getpass": ("'secret'", "''"),
    "getpass.getuser": ("'somebody'",),
    "locale.getpreferredencoding": ("'ascii'", "'utf-8'"),
    "sys.getfilesystemencoding": ("'ascii'",),
    "time.time": ("1000000.0",),
    "time.monotonic": ("1000.0",),
    "time.sleep": ("None",),
    "platform.machine": ("'arm64'", "'x86_64'"),
    "platform.python_implementation": ("'PyPy'",),
    "platform.release": ("'1.0-Microsoft'",),
    "input": ("'text'", "''", "'y'", "'n'"),
}
_STREAMS = {"stdin", "stdout", "stderr"}


def fakes_of(function: ast.AST) -> Iterator[Fake]:
    """Yield stand-ins for what a function asks of its surroundings, in its order."""
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            yield from _called(ast.unparse(node.func))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            yield from _attribute(node)
        yield from _environment(node)


def _called(callee: str) -> Iterator[Fake]:
    if callee.endswith("Popen"):
        yield from (_process("Popen", "start", _PROCESS, code) for code in ("0", "1"))
    elif callee == "subprocess.run":
        yield from (_process("run", "run", _DONE, code) for code in ("0", "1"))
    elif callee.endswith(".isatty"):
        for name in ("stdin", "stdout"):
            for value in ("True", "False"):
                line = f"monkeypatch.setattr('sys.{name}.isatty', lambda: {value})"
                yield Fake(
                    (line,), (), f"when {name} is {'' if value == 'True' else 'no '}terminal"
                )
    for known, values in _VALUES.items():
        if callee == known:
            where = known if "." in known else f"builtins.{known}"
            for value in values:
                line = f"monkeypatch.setattr({where!r}, lambda *args, **kwargs: {value})"
                yield Fake((line,), (), f"when {known.rpartition('.')[2]} gives {_word(value)}")


def _attribute(node: ast.Attribute) -> Iterator[Fake]:
    if ast.unparse(node.value) != "sys" or node.attr not in _STREAMS:
        return
    if node.attr == "stdin":
        for text in ("'text\\n'", "''"):
            line = f"monkeypatch.setattr('sys.stdin', StringIO({text}))"
            yield Fake((line,), _NEEDED[:1], f"when stdin has {_word(text)}")
    yield Fake((f"monkeypatch.setattr('sys.{node.attr}', None)",), (), f"without {node.attr}")


def _environment(node: ast.AST) -> Iterator[Fake]:
    """Yield variables set and taken away where the environment is asked by a plain name."""
    name: ast.expr | None = None
    if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("environ"):
        name = node.slice
    elif isinstance(node, ast.Compare) and ast.unparse(node.comparators[0]).endswith("environ"):
        name = node.left
    if isinstance(name, ast.Constant) and isinstance(name.value, str):
        for value in ("1", "", "text"):
            line = f"monkeypatch.setenv({name.value!r}, {value!r})"
            yield Fake((line,), (), f"with {name.value}")
        line = f"monkeypatch.delenv({name.value!r}, raising=False)"
        yield Fake((line,), (), f"without {name.value}")


def _process(name: str, function: str, text: str, code: str) -> Fake:
    lines = (text.replace("{code}", code), f"monkeypatch.setattr('subprocess.{name}', {function})")
    imports = _NEEDED if name == "Popen" else _NEEDED[1:]
    return Fake(lines, imports, "when the program " + ("ends well" if code == "0" else "fails"))


def starts_process(fake: Fake) -> bool:
    """Whether it stands for a program that is started, perhaps in the place of this one."""
    return "subprocess." in fake.lines[-1] or "setattr('os.exec" in fake.lines[-1]


def _word(value: str) -> str:
    return value.strip("b'\\n") or "nothing"
