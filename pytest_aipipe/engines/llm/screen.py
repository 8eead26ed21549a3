"""The screen: what a test that a model wrote may not even try. It is read, never run.

The sandbox holds whatever gets past; the screen is the first of two walls, and its reason
goes back to the model. It is a list of what is allowed to be imported, and of names and
attributes by which code reaches for files, processes, the network, the environment, or for
the interpreter's own insides.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from aipipe_core import syntax

if TYPE_CHECKING:
    from collections.abc import Collection

    from pytest_aipipe.generate.model import Candidate


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


HARMLESS = _words(
    "__future__ abc argparse array ast asyncio base64 binascii bisect calendar cmath "
    "collections colorsys contextlib copy csv dataclasses datetime decimal difflib doctest "
    "email enum fnmatch fractions functools gettext graphlib hashlib heapq hmac html inspect "
    "io ipaddress itertools json keyword locale logging math mimetypes numbers operator "
    "pathlib pprint pytest random re reprlib secrets statistics string struct stringprep sys "
    "textwrap threading time timeit token tokenize tomllib traceback types typing "
    "typing_extensions unicodedata unittest unittest.mock urllib.parse uuid warnings weakref "
    "zlib zoneinfo hypothesis numpy pandas attr attrs pytz dateutil freezegun"
)

NEVER = _words("eval exec compile __import__ open __builtins__ __loader__ __spec__")

UNLESS_BOUND = _words("input breakpoint globals locals vars exit quit")
"""Builtins whose names are also good names for a variable."""

ATTRIBUTES = _words(
    "system popen Popen fork forkpty environ environb getenv getenvb putenv unsetenv home "
    "expanduser expandvars rmtree unlink rmdir chmod lchmod symlink_to hardlink_to setrlimit "
    "urlopen urlretrieve create_connection create_server open_connection start_server "
    "open_unix_connection create_subprocess_exec create_subprocess_shell subprocess_exec "
    "subprocess_shell run_in_executor start_new_thread _getframe setprofile settrace "
    "_current_frames modules meta_path path_hooks addaudithook f_globals f_locals f_builtins "
    "f_back f_code tb_frame gi_frame cr_frame ag_frame import_module load_module exec_module "
    "run_path run_module CDLL builtins sleep"
)

OF_OS = _words("path sep linesep name fspath PathLike pathsep altsep devnull curdir pardir extsep")

OWN_DUNDERS = _words(
    "__init__ __name__ __doc__ __len__ __iter__ __next__ __enter__ __exit__ __aenter__ "
    "__aexit__ __aiter__ __anext__ __call__ __eq__ __ne__ __lt__ __le__ __gt__ __ge__ "
    "__hash__ __repr__ __str__ __bytes__ __bool__ __int__ __float__ __index__ __contains__ "
    "__getitem__ __setitem__ __delitem__ __add__ __radd__ __iadd__ __sub__ __mul__ "
    "__truediv__ __floordiv__ __mod__ __and__ __or__ __xor__ __neg__ __pos__ __abs__ "
    "__invert__ __format__ __fspath__ __class__ __cause__ __context__ __notes__ __version__ "
    "__all__ __slots__ __annotations__ __wrapped__ __post_init__ __new__ __missing__ "
    "__reversed__ __copy__ __deepcopy__ __reduce__ __get__ __set__ __set_name__ __delete__ "
    "__delattr__ __setattr__ __getattr__ __html__ __await__ __module__ __qualname__ "
    "__members__ __ior__ __ror__ __divmod__ __pow__ __matmul__ __suppress_context__ "
    "__traceback__ __dict__"
)

DANGEROUS = _words(
    "os subprocess socket shutil ctypes multiprocessing signal resource pty fcntl importlib "
    "runpy marshal shelve code codeop builtins gc http urllib ftplib smtplib poplib imaplib "
    "telnetlib xmlrpc socketserver ssl select selectors requests httpx aiohttp paramiko "
    "pexpect psutil cffi webbrowser tempfile glob dbm sqlite3 posix nt _thread _socket "
    "_posixsubprocess getpass pwd grp netrc keyring"
)

MOST_LINES = 120


def screened(
    candidate: Candidate, *, own: Collection[str], known: Collection[str] = ()
) -> str | None:
    """Return why ``candidate`` must not be run, or None.

    ``own`` are the project's top-level packages, ``known`` the modules that the project's own
    nearest tests import.
    """
    text = "\n".join((*candidate.prelude, candidate.function))
    if text.count("\n") > MOST_LINES:
        return f"it has more than {MOST_LINES} lines"
    try:
        tree = syntax.parse(text)
    except (SyntaxError, ValueError, RecursionError) as error:
        return f"it does not parse: {error}"
    if "pytest_plugins" in text:
        return "it loads a plugin, and is not run for that"
    may_write = any(isinstance(n, ast.arg) and n.arg in TEMPORARY for n in ast.walk(tree))
    spared = _spared(tree)
    bound = {n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and _is_store(n)}
    bound |= {n.arg for n in ast.walk(tree) if isinstance(n, ast.arg)}
    for node in ast.walk(tree):
        if node in spared:
            continue
        reason = _import(node, own, known) or _name(node, bound) or _loop(node) or _text(node)
        reason = reason or _file(node, may_write=may_write)
        if reason:
            return f"{reason}, and is not run for that"
    return None


def _spared(tree: ast.AST) -> set[ast.AST]:
    """Return ``sys.modules`` where an entry is set for a while: so a missing module is forced."""
    return {
        call.args[0]
        for call in ast.walk(tree)
        if isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr in ("setitem", "delitem", "dict")
        and call.args
        and ast.unparse(call.args[0]) == "sys.modules"
    }


def _is_store(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _import(node: ast.AST, own: Collection[str], known: Collection[str]) -> str | None:
    if isinstance(node, ast.Import):
        wrong = [a.name for a in node.names if not _may_import(a.name, own, known)]
        return f"it imports {wrong[0]}" if wrong else None
    if not isinstance(node, ast.ImportFrom):
        return None
    base = node.module or ""
    if node.level:
        return "it imports relatively"
    names = {alias.name for alias in node.names}
    if base.partition(".")[0] in own:
        return None
    if base == "os":
        return None if names <= OF_OS else f"it imports {min(names - OF_OS)} of os"
    bad = names & (NEVER | ATTRIBUTES | {"*"})
    if bad:
        return f"it imports {min(bad)}"
    may = _may_import(base, own, known) or all(
        _may_import(f"{base}.{name}", own, known) for name in names
    )
    return None if may else f"it imports {base}"


def _may_import(name: str, own: Collection[str], known: Collection[str]) -> bool:
    parts = name.split(".")
    heads = {".".join(parts[: i + 1]) for i in range(len(parts))}
    if parts[0] in own or heads & HARMLESS or name in ("os", "os.path"):
        return True
    return parts[0] in known and parts[0] not in DANGEROUS


def _name(node: ast.AST, bound: Collection[str]) -> str | None:
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        if node.id in NEVER or (node.id in UNLESS_BOUND and node.id not in bound):
            return f"it uses {node.id}"
    elif isinstance(node, ast.Attribute):
        return _attribute(node)
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        return _by_name(node, node.func.id)
    return None


def _attribute(node: ast.Attribute) -> str | None:
    name = node.attr
    if name in ATTRIBUTES:
        return f"it uses .{name}"
    if name.startswith("__") and name not in OWN_DUNDERS:
        return f"it uses .{name}"
    below = node.value
    base = below.attr if isinstance(below, ast.Attribute) else getattr(below, "id", "")
    if base == "os" and name not in OF_OS:
        return f"it uses os.{name}"
    # Also by way of the project: `package.module.subprocess.run`.
    return f"it uses {base}.{name}" if base in DANGEROUS - {"os", "code"} else None


def _by_name(node: ast.Call, function: str) -> str | None:
    """Reject ``getattr(x, "system")``: a name in a text is a name."""
    if function not in ("getattr", "setattr", "delattr") or len(node.args) < 2:  # noqa: PLR2004
        return None
    said = node.args[1]
    if not isinstance(said, ast.Constant) or not isinstance(said.value, str):
        return f"it calls {function} with a name that is computed"
    return _attribute(ast.Attribute(value=node.args[0], attr=said.value, ctx=ast.Load()))


def _loop(node: ast.AST) -> str | None:
    if isinstance(node, ast.While) and isinstance(node.test, ast.Constant) and node.test.value:
        leaves = any(isinstance(one, ast.Break | ast.Return | ast.Raise) for one in ast.walk(node))
        return None if leaves else "it loops for ever"
    return None


WRITING = _words("write_text write_bytes touch mkdir")
TEMPORARY = _words("tmp_path tmpdir tmp_path_factory tmpdir_factory")


def _file(node: ast.AST, *, may_write: bool) -> str | None:
    """Reject a file that is written elsewhere than in a temporary folder of pytest's."""
    if not isinstance(node, ast.Call):
        return None
    name = node.func.attr if isinstance(node.func, ast.Attribute) else ast.unparse(node.func)
    if name in WRITING and not may_write:
        return f"it uses .{name} without tmp_path"
    first = node.args[0] if node.args else None
    if name in ("Path", "PosixPath") and isinstance(first, ast.Constant | ast.JoinedStr):
        said = ast.unparse(first).lstrip("f'\"")
        if said.startswith(("/", "~", "..")):
            return "it names a path outside tmp_path"
    return None


PLACES = (
    "/proc/self", "/etc/passwd", "/etc/shadow", ".ssh/", ".aws/", "id_rsa", ".netrc",
    "169.254.169.254", "docker.sock",
)  # fmt: skip


def _text(node: ast.AST) -> str | None:
    """Reject the places where secrets lie, whatever is done with them."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        for place in PLACES:
            if place in node.value:
                return f"it names {place}"
    return None
