from __future__ import annotations

import json
import re
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from aipipe_core.findings import KINDS, Finding, Level, Report, render
from aipipe_core.findings.markdown import code_span, escape
from aipipe_core.findings.terminal import Terminal
from aipipe_core.findings.text import clean, cut, defuse

sys.path.insert(0, str(Path(__file__).parent))
from samples import ATTACK, hostile

UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2028\u2029\ud800-\udfff]")


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_no_control_character_or_surrogate_gets_through(kind: str) -> None:
    text = render(hostile(), kind)
    assert not UNSAFE.search(text)
    text.encode()


@pytest.mark.parametrize("kind", ["json", "sarif", "gitlab"])
def test_no_control_character_hides_in_json_escapes(kind: str) -> None:
    def strings(value: object) -> list[str]:
        if isinstance(value, dict):
            return [s for pair in value.items() for part in pair for s in strings(part)]
        if isinstance(value, list):
            return [s for item in value for s in strings(item)]
        return [value] if isinstance(value, str) else []

    for text in strings(json.loads(render(hostile(), kind))):
        assert not UNSAFE.search(text)


@pytest.mark.parametrize("width", [40, 80, 100, 200])
@pytest.mark.parametrize("colour", [True, False])
def test_no_line_on_a_terminal_is_a_workflow_command(width: int, colour: bool) -> None:
    text = Terminal(width=width, colour=colour).render(hostile())
    assert not [line for line in text.splitlines() if line.lstrip().startswith("::")]
    assert "##[" not in text
    assert "##vso[" not in text


def test_an_annotation_is_one_line_whatever_its_text() -> None:
    lines = render(hostile(), "github").splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("::error file=")
    assert lines[0].count("::error") == 3  # ours, and two of the attack's, plain text by now
    properties = lines[0].removeprefix("::error ").split("::", 1)[0]
    assert {part.split("=", 1)[0] for part in properties.split(",")} == {
        "file",
        "line",
        "endLine",
        "title",
    }


def test_a_percent_sign_cannot_smuggle_a_line_break_into_an_annotation() -> None:
    finding = Finding("r", Level.ERROR, "50%0A::error::x")
    assert (
        render(Report("t", findings=(finding,)), "github") == "::error title=r::50%250A::error::x\n"
    )


class _Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


def test_html_holds_no_element_or_attribute_of_the_attacker_s() -> None:
    parser = _Tags()
    page = render(hostile(), "html")
    parser.feed(page)
    assert not parser.tags & {"script", "img", "iframe", "a", "link", "object"}
    assert not {
        name for name in parser.attributes if name.startswith("on") or name in {"src", "href"}
    }
    assert "http://" not in page.replace("http://e)", "")
    assert "7*7" in page


def test_html_neither_runs_nor_loads_anything() -> None:
    page = render(hostile(), "html")
    assert "default-src &#39;none&#39;" in page or "default-src 'none'" in page
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page
    assert "@import" not in page
    assert "url(" not in page


@pytest.mark.parametrize("kind", ["md", "comment", "github-summary"])
def test_markdown_holds_no_html_link_image_or_heading_of_the_attacker_s(kind: str) -> None:
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(render(hostile(), kind))
    flat = [t for token in tokens for t in (token, *(token.children or ()))]
    assert not [t for t in flat if t.type in {"link_open", "image"}]
    html = {t.content.strip() for t in flat if t.type in {"html_inline", "html_block"}}
    assert html <= {"<br>", "<!-- -->"}
    assert [t.tag for t in flat if t.type == "heading_open"] == ["h1", "h2", "h2"]
    assert len([t for t in flat if t.type == "fence"]) == 1


def test_markdown_mentions_nobody() -> None:
    assert "@everyone" not in escape("@everyone")


@given(st.text())
def test_escaped_text_shows_as_itself(text: str) -> None:
    line = " ".join(clean(text).split())
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(escape(line) + " x")
    assert [t.type for t in tokens] == ["paragraph_open", "inline", "paragraph_close"]
    kinds = {t.type for t in tokens[1].children or ()}
    assert kinds <= {"text", "text_special", "html_inline"}
    shown = "".join(t.content for t in tokens[1].children or () if t.type != "html_inline")
    assert shown == f"{line} x".strip()


@given(st.text())
def test_a_code_span_shows_its_text(text: str) -> None:
    line = " ".join(clean(text).split())
    if not line:
        assert code_span(text) == ""
        return
    tokens = MarkdownIt("commonmark").parse("x " + code_span(text))
    codes = [t for t in tokens[1].children or () if t.type == "code_inline"]
    assert [t.content.strip() for t in codes] == [line.strip()]


@given(st.text(alphabet=st.characters(), max_size=300))
def test_cleaning_twice_changes_nothing_and_leaves_nothing_unsafe(text: str) -> None:
    once = clean(text)
    assert clean(once) == once
    assert not UNSAFE.search(once)


@given(st.text(alphabet=":# [vso\n\t ", max_size=60))
def test_defused_output_holds_no_command(text: str) -> None:
    harmless = defuse(text)
    assert not re.search(r"^\s*::", harmless, re.MULTILINE)
    assert "##[" not in harmless
    assert "##vso[" not in harmless


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_huge_message_is_cut(kind: str) -> None:
    report = Report(
        "t", findings=(Finding("r", Level.ERROR, ATTACK * 20_000, path="a.py", start=1),)
    )
    limit = 20_000_000 if kind == "json" else 200_000
    assert len(render(report, kind)) < limit


def test_a_cut_says_how_much_is_missing() -> None:
    assert cut("x" * 100, 60) == "x" * 28 + "… (72 characters more)"
    assert cut("short", 60) == "short"
