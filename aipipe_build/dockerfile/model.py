"""A Dockerfile as values: instructions with their source text, stages, directives."""

from __future__ import annotations

from aipipe_build.light import field, light


@light(frozen=True)
class Heredoc:
    """A here-document that an instruction carries.

    ``expand`` is false where its word was quoted; ``chomp`` is the ``<<-`` form, whose
    leading tabs are dropped. ``content`` is as written, line ends included.
    """

    name: str
    expand: bool
    chomp: bool
    content: str = ""

    @property
    def body(self) -> str:
        """The content with leading tabs dropped where the form asks for it."""
        if not self.chomp:
            return self.content
        return "".join(line.lstrip("\t") for line in self.content.splitlines(keepends=True))


@light(frozen=True)
class Instruction:
    """One instruction.

    ``keyword`` is upper case. ``original`` is the logical line: continuations joined,
    comments between them gone. ``rest`` is what follows keyword and flags. ``args`` are the
    arguments as the parser splits them: one for most, name-value pairs flattened for ENV and
    LABEL. ``start`` and ``end`` are 1-based lines; ``source`` is the text of those lines and
    ``leading`` what stood between the instruction before and this one.
    """

    keyword: str
    original: str
    flags: tuple[str, ...]
    rest: str
    args: tuple[str, ...]
    json: bool
    start: int
    end: int
    heredocs: tuple[Heredoc, ...] = ()
    source: str = field(default="", compare=False)
    leading: str = field(default="", compare=False)

    @property
    def code(self) -> str:
        """The logical line without the white space around it."""
        return self.original.strip()

    def flag(self, name: str) -> str | None:
        """Return the value of ``--name=value``, ``""`` for a bare ``--name``, None if absent."""
        for flag in self.flags:
            key, _, value = flag.removeprefix("--").partition("=")
            if key == name:
                return value
        return None

    def flag_values(self, name: str) -> tuple[str, ...]:
        """Return every value of a flag that may be repeated."""
        prefix = f"--{name}="
        return tuple(flag[len(prefix) :] for flag in self.flags if flag.startswith(prefix))

    def flag_is_true(self, name: str) -> bool:
        """Tell whether a boolean flag is set."""
        value = self.flag(name)
        return value is not None and value.lower() in ("", "true")


@light(frozen=True)
class Stage:
    """A FROM and what follows it. ``name`` is lower case, empty when there is none."""

    base: str
    name: str
    platform: str
    instruction: Instruction
    commands: tuple[Instruction, ...] = ()


@light(frozen=True)
class Directive:
    """A parser directive at the top of the file."""

    name: str
    value: str
    line: int


@light(frozen=True)
class Dockerfile:
    """A parsed Dockerfile.

    ``syntax`` is the frontend that the file asks for, empty for the builder's own.
    ``meta_args`` are the ARG instructions before the first FROM. ``bom`` and ``trailing``
    complete the source text: ``text()`` gives back every character that was read.
    """

    instructions: tuple[Instruction, ...]
    meta_args: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    escape: str = "\\"
    syntax: str = ""
    bom: str = ""
    trailing: str = ""

    def text(self) -> str:
        """Return the source text, exactly as it was."""
        pieces = [piece for one in self.instructions for piece in (one.leading, one.source)]
        return self.bom + "".join(pieces) + self.trailing
