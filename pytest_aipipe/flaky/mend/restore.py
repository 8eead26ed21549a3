"""Mends of pollution: the polluting test gives back what it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import libcst as cst
import libcst.matchers as m

from pytest_aipipe.flaky.mend.proposal import Proposal, names_of
from pytest_aipipe.flaky.mend.source import (
    Source,
    with_fixture,
    with_parameter,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from pytest_aipipe.flaky.finding import Finding
    from pytest_aipipe.flaky.mend.proposal import Scene


def _kept(value: str, put: str) -> str:
    return f"    before = {value}\n    yield\n    {put}\n"


_SIMPLE = {
    "environment": (
        "environment",
        ["unittest.mock", "os"],
        "    with unittest.mock.patch.dict(os.environ):\n        yield\n",
    ),
    "folder": ("folder", ["os"], _kept("os.getcwd()", "os.chdir(before)")),
    "warnings": (
        "warning filters",
        ["warnings"],
        "    with warnings.catch_warnings():\n        yield\n",
    ),
    "random": ("random state", ["random"], _kept("random.getstate()", "random.setstate(before)")),
    "decimal": (
        "decimal context",
        ["decimal"],
        "    with decimal.localcontext():\n        yield\n",
    ),
    "path": ("import path", ["sys"], _kept("list(sys.path)", "sys.path[:] = before")),
    "module": (
        "loaded modules",
        ["unittest.mock", "sys"],
        "    with unittest.mock.patch.dict(sys.modules):\n        yield\n",
    ),
    "socket": (
        "socket timeout",
        ["socket"],
        _kept("socket.getdefaulttimeout()", "socket.setdefaulttimeout(before)"),
    ),
    "limit": (
        "recursion limit",
        ["sys"],
        _kept("sys.getrecursionlimit()", "sys.setrecursionlimit(before)"),
    ),
    "umask": ("umask", ["os"], _kept("os.umask(0o22)\n    os.umask(before)", "os.umask(before)")),
}


def restore(finding: Finding, scene: Scene) -> Iterator[Proposal]:
    """Let the polluter restore the state that it changes."""
    pollution = finding.pollution
    if pollution is None or pollution.brittle:
        return
    if len(pollution.before) != 1 or not pollution.keys:
        return
    (polluter,) = pollution.before
    names, path = names_of(polluter), scene.path_of(polluter)
    source = Source.of(scene.read(path))
    if source.function(names) is None:
        return
    told = f"lets {polluter} give back "
    if not source.in_unittest(names):
        edit = _Patches(source)
        patched = source.edited(names, edit.apply)
        if edit.done:
            yield Proposal(f"{told}what it sets, through monkeypatch", {path: patched.text})
    for key, row in zip(pollution.keys, pollution.changed, strict=True):
        made = _fixture(key, row, scene, path)
        if made is not None:
            label, imports, body = made
            name = "restored_" + label.replace(" ", "_")
            code = f'@pytest.fixture\ndef {{name}}():\n    """Gives the {label} back."""\n{body}'
            edited = with_fixture(source, names, name=name, code=code, imports=imports)
            yield Proposal(f"{told}the {label}, in a fixture", {path: edited.text})


class _Patches(cst.CSTTransformer):
    """Turns plain assignments of shared state into calls of monkeypatch."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self.source = source
        self.done = 0
        self.imported = _imported(source.module)

    def apply(self, function: cst.FunctionDef) -> cst.FunctionDef:
        """Return the function with its assignments turned, asking for monkeypatch."""
        edited = cst.ensure_type(function.visit(self), cst.FunctionDef)
        return with_parameter(edited, "monkeypatch") if self.done else function

    def visit_FunctionDef(self, node: cst.FunctionDef) -> bool:  # noqa: ARG002, N802
        """Go into nested functions as well."""
        return True

    def leave_SimpleStatementLine(  # noqa: N802
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        """Turn one statement."""
        if len(original_node.body) != 1:
            return updated_node
        call = self._call(original_node.body[0])
        if call is None:
            return updated_node
        self.done += 1
        return updated_node.with_changes(body=[cst.Expr(cst.parse_expression(call))])

    def _call(self, node: Any) -> str | None:
        code = self.source.module.code_for_node
        if isinstance(node, cst.Assign) and len(node.targets) == 1:
            target, value = node.targets[0].target, code(node.value)
            if isinstance(target, cst.Attribute) and self._is_shared(target.value):
                return (f'monkeypatch.setattr({code(target.value)}, "{target.attr.value}", '
                        f"{value})")  # fmt: skip
            if isinstance(target, cst.Subscript) and len(target.slice) == 1:
                return self._item(target, value)
        if isinstance(node, cst.Expr) and isinstance(node.value, cst.Call):
            call = node.value
            where = code(call.func)
            if where == "os.chdir" and len(call.args) == 1:
                return f"monkeypatch.chdir({code(call.args[0].value)})"
            if where == "os.environ.pop" and call.args:
                return f"monkeypatch.delenv({code(call.args[0].value)}, raising=False)"
            if where == "os.environ.setdefault" and len(call.args) == 2:  # noqa: PLR2004
                pair = ", ".join(code(arg.value) for arg in call.args)
                return f"monkeypatch.setenv({pair})"
        if isinstance(node, cst.Del) and m.matches(node.target, m.Subscript()):
            target = cst.ensure_type(node.target, cst.Subscript)
            if code(target.value) == "os.environ":
                return f"monkeypatch.delenv({self._index(target)})"
        return None

    def _item(self, target: cst.Subscript, value: str) -> str | None:
        code = self.source.module.code_for_node
        index = self._index(target)
        if code(target.value) == "os.environ":
            return f"monkeypatch.setenv({index}, {value})"
        if isinstance(target.value, cst.Attribute) and self._is_shared(target.value.value):
            return f"monkeypatch.setitem({code(target.value)}, {index}, {value})"
        return None

    def _index(self, target: cst.Subscript) -> str:
        return self.source.module.code_for_node(target.slice[0].slice)

    def _is_shared(self, node: cst.BaseExpression) -> bool:
        """Whether an object is reached from something imported."""
        while isinstance(node, cst.Attribute):
            node = node.value
        return isinstance(node, cst.Name) and node.value in self.imported


def _imported(module: cst.Module) -> set[str]:
    names: set[str] = set()
    for one in m.findall(module, m.ImportAlias()):
        alias = cst.ensure_type(one, cst.ImportAlias)
        asname = alias.asname
        if asname is not None and isinstance(asname.name, cst.Name):
            names.add(asname.name.value)
        else:
            names.add(module.code_for_node(alias.name).partition(".")[0])
    return names


def _fixture(
    key: str, row: Mapping[str, Any], scene: Scene, path: str
) -> tuple[str, list[str], str] | None:
    """Return what the fixture gives back in words, its imports and its body."""
    kind, _, name = key.partition(":")
    if kind in _SIMPLE:
        label, imports, body = _SIMPLE[kind]
        return label, list(imports), body
    if kind == "logging":
        return _logging(name)
    if kind == "handler":
        body = (f"    before = signal.getsignal({int(name)})\n    yield\n"
                f"    signal.signal({int(name)}, before)\n")  # fmt: skip
        return "signal handler", ["signal"], body
    if kind == "hook" and name != "threading":
        return name, ["sys"], f"    before = sys.{name}\n    yield\n    sys.{name} = before\n"
    if kind == "locale" and name == "locale":
        body = ("    before = locale.setlocale(locale.LC_ALL)\n    yield\n"
                "    locale.setlocale(locale.LC_ALL, before)\n")  # fmt: skip
        return "locale", ["locale"], body
    if kind in ("attribute", "cache"):
        return _attribute(name, row, scene, path)
    return None


def _logging(name: str) -> tuple[str, list[str], str]:
    if name == "disable":
        body = ("    before = logging.root.manager.disable\n    yield\n"
                "    logging.disable(before)\n")  # fmt: skip
        return "logging threshold", ["logging"], body
    which = "" if name == "root" else f'"{name}"'
    body = (
        f"    log = logging.getLogger({which})\n"
        "    before = log.level, log.handlers[:], log.filters[:], log.disabled, log.propagate\n"
        "    yield\n"
        "    log.setLevel(before[0])\n"
        "    log.handlers[:], log.filters[:] = before[1:3]\n"
        "    log.disabled, log.propagate = before[3:]\n"
    )
    return "logger", ["logging"], body


def _attribute(
    name: str, row: Mapping[str, Any], scene: Scene, path: str
) -> tuple[str, list[str], str] | None:
    module, rest = split(name, scene, path)
    if not rest:
        return None
    last = rest.rpartition(".")[2]
    imports = [module] if module else []
    whole = f"{module}.{rest}" if module else rest
    label = last.strip("_").lower()
    if row["kind"] == "cache":
        target = whole.removesuffix(".cache")
        return "cache", imports, f"    yield\n    {target}.cache_clear()\n"
    was = str(row.get("was", ""))
    opened = was[:1]
    contained = opened in "[{" or was.startswith(("set(", "deque(", "defaultdict(", "Counter("))
    if contained and type(row.get("now")) is str and row["now"][:1] == opened:
        if opened == "[":
            put = f"    {whole}[:] = before\n"
        else:
            put = f"    {whole}.clear()\n    {whole}.update(before)\n"
        return label, [*imports, "copy"], f"    before = copy.deepcopy({whole})\n    yield\n{put}"
    if not module and "." not in rest:
        body = f"    global {rest}\n    before = {rest}\n    yield\n    {rest} = before\n"
        return label, imports, body
    return label, imports, f"    before = {whole}\n    yield\n    {whole} = before\n"


def split(name: str, scene: Scene, path: str) -> tuple[str, str]:
    """Split a dotted name in module and attribute; the module is "" for the test's own."""
    parts = name.split(".")
    stem = path.removesuffix(".py").split("/")
    for end in range(len(parts) - 1, 0, -1):
        module = parts[:end]
        if module == stem[-len(module) :]:
            return "", ".".join(parts[end:])
        file = scene.rootdir.joinpath(*module)
        src = scene.rootdir.joinpath("src", *module)
        top = scene.top.joinpath(*module)
        for place in (file, src, top):
            if place.with_suffix(".py").is_file() or (place / "__init__.py").is_file():
                return ".".join(module), ".".join(parts[end:])
    return ".".join(parts[:1]), ".".join(parts[1:])
