from __future__ import annotations

import pytest

from aipipe.page.render import _prose


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("`a < b` is true", "<code>a &lt; b</code> is true"),
        ("<b> and `<i>`", "&lt;b&gt; and <code>&lt;i&gt;</code>"),
        ("one ` alone <b>", "one ` alone &lt;b&gt;"),
        ("{0} `{}`", "{0} <code>{}</code>"),
    ],
)
def test_what_stands_between_backticks_is_code_and_all_of_it_is_escaped(
    text: str, shown: str
) -> None:
    assert _prose(text) == shown
