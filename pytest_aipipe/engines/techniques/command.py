"""Run a command line: ``main(argv)``, click commands, ``sys.argv``."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from itertools import combinations, islice
from typing import TYPE_CHECKING

from aipipe_core import syntax
from pytest_aipipe.engines.analysis.mined import unique
from pytest_aipipe.engines.source.writer import Draft, write

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pytest_aipipe.engines.analysis.module import Definition
    from pytest_aipipe.engines.situation import Situation
    from pytest_aipipe.engines.techniques.base import Proposals
    from pytest_aipipe.generate.model import Candidate

_BATCH = 12
_MOST = 160
_FILE = ("file = tmp_path / 'file.txt'", "file.write_text('select 1;\\n{\"a\": 1}\\n')")


class Command:
    """Options are read off the parser that the module builds."""

    name = "command"

    def propose(self, situation: Situation) -> Proposals:
        """Yield runs with each option alone, then in pairs, with and without a file."""
        candidates = islice(self._all(situation), _MOST)
        while batch := list(islice(candidates, _BATCH)):
            yield batch

    def _all(self, situation: Situation) -> Iterator[Candidate]:
        options = options_of(situation.module.tree)
        for entry in entries(situation):
            is_click = any(d.rsplit(".", 1)[-1] in {"command", "group"} for d in entry.decorators)
            for arguments in argument_lists(situation, options):
                yield from self._run(situation, entry, arguments, is_click=is_click)

    def _run(
        self, situation: Situation, entry: Definition, arguments: list[str], *, is_click: bool
    ) -> Iterator[Candidate]:
        argv = f"[{', '.join(arguments)}]"
        used = {n.id for n in ast.walk(syntax.parse(argv)) if isinstance(n, ast.Name)}
        body: list[str] = list(_FILE) if "file" in used else []
        if "folder" in used:
            body.append("folder = tmp_path / 'none'")
        fixtures = ["tmp_path"] if body else []
        imports = [f"from {situation.module.name} import {entry.name}"]
        if is_click:
            imports.append("from click.testing import CliRunner")
            body.append(f"result = CliRunner().invoke({entry.name}, {argv})")
            observe: tuple[str, ...] = ("result.exit_code", "result.output")
        elif any(p.kind in {"any", "positional"} for p in entry.parameters):
            body.append(f"result = {entry.name}({argv})")
            fixtures.append("capsys")
            observe = ("result", "capsys.readouterr()")
        else:
            body += [
                f"monkeypatch.setattr('sys.argv', ['prog', *{argv}])",
                f"result = {entry.name}()",
            ]
            fixtures += ["monkeypatch", "capsys"]
            observe = ("result", "capsys.readouterr()")
        draft = Draft(tuple(body), tuple(imports), fixtures=tuple(fixtures), observe=observe)
        made = write(draft, self.name, f"{entry.name} {_told(arguments)}")
        if made is not None:
            yield made


def _told(arguments: list[str]) -> str:
    """Say in words what a command line holds, for the test's name."""
    words = [one.strip("'-") for one in arguments if one.startswith("'") and one.strip("'-")]
    files = len(arguments) - len(words)
    plain = {0: "", 1: "with a file"}.get(files, "with files")
    return " ".join([plain, *words]).strip() or "without arguments"


def entries(situation: Situation) -> list[Definition]:
    """Return the module's command functions: click's, ``main``, and what parses arguments."""
    found = []
    for definition in situation.module.definitions.values():
        if definition.owner is not None or definition.is_class:
            continue
        looks = {d.rsplit(".", 1)[-1] for d in definition.decorators}
        text = {n.attr for n in ast.walk(definition.node) if isinstance(n, ast.Attribute)}
        if (
            looks & {"command", "group"}
            or "parse_args" in text
            or definition.name in {"main", "cli"}
        ):
            found.append(definition)
    return found


@dataclass(frozen=True, slots=True)
class Option:
    """An option of a command line: its words, as source, and the name that its value gets."""

    words: tuple[str, ...]
    dest: str


def options_of(tree: ast.Module) -> list[Option]:
    """Return what to pass for each option that the module declares (argparse or click)."""
    found: list[Option] = []
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        if ast.unparse(node.func).rsplit(".", 1)[-1] not in {"add_argument", "option"}:
            continue
        flags = [
            a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)
        ]
        options = [f for f in flags if f.startswith("-")]
        if not options:
            continue
        flag = repr(max(options, key=len))
        keywords = {k.arg: k.value for k in node.keywords if k.arg}
        named = keywords.get("dest")
        dest = (
            named.value if isinstance(named, ast.Constant) else flag.strip("'-").replace("-", "_")
        )
        found += [Option((flag, *given), str(dest)) for given in _given(keywords, flag)]
    return found


def _given(keywords: dict[str, ast.expr], flag: str) -> Iterator[tuple[str, ...]]:
    """Yield what may come after an option's flag; nothing after one that takes no value."""
    action = ast.unparse(keywords["action"]) if "action" in keywords else ""
    if "store_" in action or "version" in action or "count" in action or "is_flag" in keywords:
        yield ()
        return
    choices = keywords.get("choices")
    if isinstance(choices, ast.List | ast.Tuple):
        yield from ((ast.unparse(one),) for one in choices.elts[:3])
        return
    is_number = "int" in ast.unparse(keywords.get("type", ast.Constant(value="")))
    yield from ((v,) for v in (("'2'", "'0'", "'-1'") if is_number else ("'text'", "'utf-8'")))
    if "file" in flag or "out" in flag:
        yield ("str(file)",)
        yield ("str(folder / 'file.txt')",)


def argument_lists(situation: Situation, options: list[Option]) -> Iterator[list[str]]:
    """Yield command lines, short ones first."""
    files: tuple[list[str], ...] = (
        ["str(file)"],
        [],
        ["str(file)", "str(file)"],
        ["'-'"],
        ["str(folder)"],
    )
    guards = [ast.unparse(c.test) for g in situation.guards for c in g.conditions]
    wanted = sorted(options, key=lambda one: not any(one.dest in g for g in guards))
    for positional in files:
        yield list(positional)
    for option in wanted:
        for positional in files:
            yield [*positional, *option.words]
    for first, second in combinations(wanted[:8], 2):
        for positional in files[:3]:
            yield [*unique([*positional]), *first.words, *second.words]
