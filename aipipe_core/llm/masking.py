"""Secrets out of a text before it leaves: keys by their shape, by their name, by their value.

Better one harmless text masked than one key sent: what looks like a secret is replaced by a
word that says what it was, so that the text around it stays readable (and Python stays Python).
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHAPES: tuple[tuple[str, str], ...] = (
    (
        "private-key",
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)",
    ),
    ("aws-key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{16}\b"),
    ("github-token", r"\b(?:gh[pousr]_[A-Za-z0-9]{20,}|github_pat_[A-Za-z0-9_]{20,})"),
    ("gitlab-token", r"\bgl(?:pat|rt|dt|cbt|ptt|soat)-[A-Za-z0-9_\-]{16,}"),
    ("slack-token", r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}"),
    ("slack-hook", r"https://hooks\.slack\.com/(?:services|workflows)/[A-Za-z0-9/_+-]+"),
    ("api-key", r"\b(?:sk|rk|pk)[-_](?:live|test|proj|ant|or|svcacct)?[-_]?[A-Za-z0-9_-]{20,}"),
    ("google-key", r"\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{20,}"),
    ("npm-token", r"\bnpm_[A-Za-z0-9]{30,}"),
    ("pypi-token", r"\bpypi-[A-Za-z0-9_-]{30,}"),
    ("hf-token", r"\bhf_[A-Za-z0-9]{30,}"),
    ("sendgrid-key", r"\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}"),
    ("docker-token", r"\bdckr_(?:pat|oat)_[A-Za-z0-9_-]{20,}"),
    ("vault-token", r"\bhv[sb]\.[A-Za-z0-9_-]{20,}"),
    ("jwt", r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
)  # fmt: skip

_SHAPED = re.compile("|".join(f"(?P<s{i}>{shape})" for i, (_, shape) in enumerate(_SHAPES)))

_LOGIN = re.compile(
    r"(?P<before>\b[a-z][a-z0-9+.-]*://[^\s/:@'\"{}]*:)(?P<secret>[^\s/@'\"{}<>]+)@"
)

_TELLING = (
    r"(?:pass(?:word|wd|phrase)?|secret|token|api[_-]?key|access[_-]?key|auth[_-]?key|"
    r"private[_-]?key|client[_-]?secret|credentials?)"
)
_NAMED = re.compile(
    rf"(?P<before>\b[\w.-]*{_TELLING}[\w-]*[\"']?\]?\s*(?::\s*[\w.\[\] |]+)?\s*"
    r"(?:=|:|=>)\s*[rbuf]{0,2}(?P<quote>[\"']))(?P<secret>[^\"'\s\\]{6,})(?P=quote)",
    re.IGNORECASE,
)
_BARE = re.compile(
    rf"(?P<before>^[+\- ]?\s*(?:export\s+|ENV\s+|ARG\s+)?[\w.-]*{_TELLING}[\w-]*\s*=\s*)"
    r"(?P<secret>[^\s\"'()\[\]{}#,;]{12,})\s*$",
    re.IGNORECASE | re.MULTILINE,
)
_HEADER = re.compile(
    r"(?P<before>\b(?:Authorization|X-Api-Key|Proxy-Authorization)[\"']?\s*[:=,]\s*[\"']?"
    r"(?:Bearer|Basic|Token)?\s*)(?P<secret>[A-Za-z0-9+/_.=-]{12,})",
    re.IGNORECASE,
)
_LONG = re.compile(r"(?<![\w/+.-])(?=[A-Za-z0-9+/_=-]*\d)(?=[A-Za-z0-9+/_=-]*[a-z])"
                   r"(?=[A-Za-z0-9+/_=-]*[A-Z])[A-Za-z0-9+/_-]{32,}={0,2}(?![\w/+.-])")  # fmt: skip
_RANDOM = 4.2  # bits a character: words and names stay below, random base64 lies above

_SECRET_VARIABLE = re.compile(
    r"key|token|secret|passw|pwd|credential|auth|dsn|cookie|session", re.IGNORECASE
)
_LEAST = 8


def mask(text: str, environ: Mapping[str, str] | None = None) -> str:
    """Return ``text`` with every secret replaced by ``<masked-...>``.

    ``environ`` adds the values of its variables whose names sound secret.
    """
    for value in _values(environ or {}):
        text = text.replace(value, "<masked-variable>")
    text = _SHAPED.sub(_shape, text)
    text = _LOGIN.sub(r"\g<before><masked-password>@", text)
    text = _NAMED.sub(_named, text)
    text = _BARE.sub(_bare, text)
    text = _HEADER.sub(r"\g<before><masked-credential>", text)
    return _LONG.sub(_long, text)


def _values(environ: Mapping[str, str]) -> list[str]:
    found = {
        value.strip()
        for name, value in environ.items()
        if _SECRET_VARIABLE.search(name) and len(value.strip()) >= _LEAST
    }
    plain = {value for value in found if "/" not in value or "://" in value}
    return sorted(plain, key=len, reverse=True)


def _shape(found: re.Match[str]) -> str:
    index = int((found.lastgroup or "s0")[1:])
    return f"<masked-{_SHAPES[index][0]}>"


def _named(found: re.Match[str]) -> str:
    if found["secret"].startswith("<masked"):
        return found[0]
    return f"{found['before']}<masked-secret>{found['quote']}"


def _bare(found: re.Match[str]) -> str:
    secret = found["secret"]
    if secret.startswith("<masked") or re.fullmatch(r"[\w.]*[a-z_][\w.]*", secret) is not None:
        mixed = re.search(r"\d", secret) and _entropy(secret) > 3.0  # noqa: PLR2004 - a name has less
        if secret.startswith("<masked") or not mixed:
            return found[0]  # a name that is assigned, not a secret
    return f"{found['before']}<masked-secret>"


def _long(found: re.Match[str]) -> str:
    return "<masked-random>" if _entropy(found[0]) > _RANDOM else found[0]


def _entropy(text: str) -> float:
    counts = Counter(text)
    return -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
