from __future__ import annotations

from aipipe_core.findings import Finding, Level, Report, Section, Table

PLAIN = Report(
    title="Tests for the change",
    summary=("12 of 14 changed lines are tested.", "2 gaps remain."),
    findings=(
        Finding(
            rule="untested-lines",
            level=Level.WARNING,
            message="Nothing runs lines 12 to 14 of parse().",
            path="src/shop/cart.py",
            start=12,
            end=14,
            help="Add a test that gives parse() an empty list.",
            anchor="parse",
            properties={"branches": [[12, 14]]},
        ),
        Finding(
            rule="behaviour-change",
            level=Level.ERROR,
            message="total([]) was 0 and is now None.",
            path="src/shop/cart.py",
            start=30,
            column=5,
            anchor="total",
        ),
        Finding(rule="store-damaged", level=Level.NOTE, message="The store was set aside."),
    ),
    sections=(
        Section(
            title="Admitted tests",
            lines=("Each earned its place.",),
            table=Table(("test", "engine"), (("tests/test_cart.py::test_empty", "amplify"),)),
        ),
        Section(
            title="A test", code="def test_empty():\n    assert total([]) == 0\n", language="python"
        ),
    ),
    tool_version="0.1.0",
)

ATTACK = (
    "\x1b[31mred\x1b]0;title\x07 \x00\x08 \udcff\ud800 \u202egnp.exe \u2028\r\n::error file=x::pwned\r"
    "##[command]x ##vso[task.setvariable]y\n<script>alert(1)</script><img src=x onerror=y>"
    " @everyone #1 `` ``` | [a](javascript:x) ![i](http://e) {{ 7*7 }} {% raw %} %0A::warning::x [bold]"
    " -->\n# heading\n- item\n```\nout\n"
)


def hostile(times: int = 1) -> Report:
    finding = Finding(
        rule=f"rule{ATTACK}",
        level=Level.ERROR,
        message=ATTACK * times,
        path=f"dir/{ATTACK}.py",
        start=3,
        end=1,
        help=ATTACK,
        properties={ATTACK: {ATTACK, "b"}, "nan": float("nan"), "object": object},
    )
    table = Table((ATTACK, "b"), ((ATTACK * times, ATTACK),))
    section = Section(title=ATTACK, lines=(ATTACK,), table=table, code=ATTACK, language=ATTACK)
    return Report(title=ATTACK, summary=(ATTACK,), findings=(finding,), sections=(section,))


def many(count: int) -> Report:
    levels = list(Level)
    return Report(
        title="Many",
        findings=tuple(
            Finding(
                rule="untested-lines",
                level=levels[n % 3],
                message=f"Nothing runs this line of a long function ({n}). " * 4,
                path=f"src/module_{n}.py",
                start=n + 1,
            )
            for n in range(count)
        ),
        sections=(Section(title="Last", lines=("the end",)),),
    )
