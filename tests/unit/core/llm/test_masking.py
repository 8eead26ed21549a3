"""Secrets out of a text, and nothing else."""

from __future__ import annotations

import ast

import pytest

from aipipe_core.llm.masking import mask

RANDOM = "q7Xv2LpZ9kRt4WmB8nYc3HdF6sJg1TaE"

SECRETS = [
    ("AWS", "AKIAIOSFODNN7EXAMPLE", "key = '{}'"),
    ("GitHub", "ghp_" + RANDOM, "{}"),
    ("GitHub, fine-grained", "github_pat_" + RANDOM, "x {} y"),
    ("GitLab", "glpat-" + RANDOM[:20], "--token {}"),
    ("Slack", "xoxb-123456789012-" + RANDOM[:12], "{}"),
    ("OpenAI", "sk-proj-" + RANDOM, "client({!r})"),
    ("Stripe", "sk_live_" + RANDOM, "# {}"),
    ("Google", "AIza" + RANDOM + "abc", "{}"),
    ("JWT", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abcDEF123_-x", "Bearer {}"),
    ("by name", "hunter22", "password = '{}'"),
    ("by name, in a dict", "correct-horse", '{{"api_key": "{}"}}'),
    ("by name, as a keyword", "s3cr3t!!", 'connect(db, client_secret="{}")'),
    ("by name, annotated", "abcdef123", "TOKEN: str = '{}'"),
    ("by name, in a shell", "Zx81kLm20pQ9", "export DB_PASSWORD={}"),
    ("in a Dockerfile", "Zx81kLm20pQ9", "ENV API_TOKEN={}"),
    ("in a URL", "pa55word", "postgres://me:{}@db.example.org/x"),
    ("in a header", "dXNlcjpwYXNzd29yZA==", '"Authorization": "Basic {}"'),
    ("by its look", RANDOM + RANDOM[:8], "blob = '{}'"),
    ("a private key", "MIIEvQIBADANBgkqh", "-----BEGIN RSA PRIVATE KEY-----\n{}\n-----END RSA PRIVATE KEY-----"),
    ("a private key that is cut", "MIIEvQIBADANBgkqh", "-----BEGIN PRIVATE KEY-----\n{}\n"),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "secret", "around"), SECRETS, ids=[one[0] for one in SECRETS])
def test_a_secret_is_masked_wherever_it_stands(kind: str, secret: str, around: str) -> None:
    text = around.format(secret)
    for written in (text, f"+{text}", f"def f():\n    {text}\n    return 1\n"):
        assert secret not in mask(written)
        assert "<masked-" in mask(written)


@pytest.mark.parametrize(
    "text",
    [
        "def check_password(password: str, token=None):\n    return password == token",
        "self.token = tokens[0]",
        "raise KeyError('secret')",
        "token = next(stream)",
        "if token.ttype is Name and token.value == 'x': pass",
        "password = getpass()",
        "commit 5df26592c29b9561d122640868ba0522cbc1e20d",
        "from aipipe_core.documents.schemas import everything_that_is_published",
        "https://docs.python.org/3/library/urllib.parse.html#urllib.parse.urlsplit",
        "assert isoparse('2026-01-01T00:00:00+00:00')",
        "_LONG_CONSTANT_NAME_THAT_GOES_ON_AND_ON = SomeClassWithAVeryLongNameIndeed",
    ],
)
def test_code_that_holds_none_stays_as_it_is(text: str) -> None:
    assert mask(text) == text


def test_the_values_of_secret_variables_are_masked_and_those_of_others_stay() -> None:
    around = {"MY_TOKEN": "blue-elephant", "HOME": "/home/somebody", "SHORT_KEY": "abc"}
    assert mask("x = 'blue-elephant'; abc; /home/somebody", around) == (
        "x = '<masked-variable>'; abc; /home/somebody"
    )


def test_masked_python_is_still_python() -> None:
    text = f"token = 'ghp_{RANDOM}'\nurl = f'https://u:{{p}}@h'\nsecret = b'0123456789'\n"
    ast.parse(mask(text))
