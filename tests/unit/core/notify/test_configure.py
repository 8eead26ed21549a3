"""Channels from a project's configuration."""

from __future__ import annotations

from datetime import time
from typing import TYPE_CHECKING

import pytest

from aipipe_core.config import load
from aipipe_core.errors import RequestError
from aipipe_core.notify import Severity
from aipipe_core.notify.configure import load_channels
from aipipe_core.notify.senders.github import GitHubComment
from aipipe_core.notify.senders.mail import Mail
from aipipe_core.notify.senders.pagerduty import PagerDuty
from aipipe_core.notify.senders.slack import SlackApi, SlackWebhook

if TYPE_CHECKING:
    from pathlib import Path

FULL = """
[notify.channels.phone]
kind = "pagerduty"
secret = "PAGER_KEY"
least = "page"
fallback = "mail"

[notify.channels.chat]
kind = "slack"
secret = "SLACK_TOKEN"
to = ["C012"]
quiet = "22:00-07:30"
zone = "Europe/Paris"
labels = ["host"]

[notify.channels.hook]
kind = "slack-webhook"
secret = "HOOK"

[notify.channels.request]
kind = "github"
secret = "GITHUB_TOKEN"
to = "ada/engine#7"

[notify.channels.mail]
kind = "mail"
host = "mail.example.org"
sender = "aipipe@example.org"
to = ["ada@example.org"]
"""
ZONE = """
[notify.channels.a]
kind = "slack-webhook"
secret = "HOOK"
quiet = "22:00-07:00"
zone = "No/Where"
"""
ENVIRON = {
    "PAGER_KEY": "k",
    "SLACK_TOKEN": "t",
    "HOOK": "https://hooks.example.org/secret",
    "GITHUB_TOKEN": "g",
}


def channels(root: Path, text: str) -> object:
    (root / "aipipe.toml").write_text(text)
    return load_channels(root, ENVIRON)


def test_every_kind_of_channel_is_made(tmp_path: Path) -> None:
    (tmp_path / "aipipe.toml").write_text(FULL)
    found = load_channels(tmp_path, ENVIRON)
    kinds = {name: type(sender) for name, (_, sender) in found.channels.items()}
    assert kinds == {
        "phone": PagerDuty,
        "chat": SlackApi,
        "hook": SlackWebhook,
        "request": GitHubComment,
        "mail": Mail,
    }
    assert found.fallbacks == {"phone": "mail"}
    policy = found.channels["chat"][0]
    assert policy.edits
    assert policy.labels == ("host",)
    assert policy.quiet is not None
    assert (policy.quiet.start, policy.quiet.end) == (time(22), time(7, 30))
    assert found.channels["phone"][0].least is Severity.PAGE


def test_a_project_without_channels_tells_nobody(tmp_path: Path) -> None:
    found = load_channels(tmp_path, {})
    assert found.channels == {}


def test_the_other_settings_do_not_mind_the_table(tmp_path: Path) -> None:
    (tmp_path / "aipipe.toml").write_text("budget = 7\n" + FULL)
    assert load(tmp_path, environ={}, flags={}).budget == 7


@pytest.mark.parametrize(
    ("text", "slug", "words"),
    [
        ('[notify.chanels.a]\nkind = "slack"', "unknown-setting", "'channels'"),
        ('[notify.channels.a]\nkind = "slak"', "wrong-setting", "notify.channels.a.kind"),
        ('[notify.channels.a]\nsecret = "X"', "wrong-setting", "must be one of"),
        ('[notify.channels.a]\nkind = "slack"\nsecrt = "X"', "unknown-setting", "'secret'"),
        ('[notify.channels.a]\nkind = "slack"\nto = "C"', "wrong-setting", "environment variable"),
        ('[notify.channels.a]\nkind = "slack"\nsecret = "NONE"', "notify-secret", "NONE"),
        ('[notify.channels.a]\nkind = "slack"\nsecret = "HOOK"', "wrong-setting", "one place"),
        (
            '[notify.channels.a]\nkind = "github"\nsecret = "HOOK"\nto = "ada"',
            "wrong-setting",
            "owner/name#number",
        ),
        (
            '[notify.channels.a]\nkind = "slack-webhook"\nsecret = "HOOK"\nquiet = "late"',
            "wrong-setting",
            "two times",
        ),
        (
            ZONE,
            "wrong-setting",
            "no time zone",
        ),
        (
            '[notify.channels.a]\nkind = "slack-webhook"\nsecret = "HOOK"\nfallback = "b"',
            "wrong-setting",
            "another channel",
        ),
        ('[notify.channels.a]\nkind = "mail"\nhost = "h"', "wrong-setting", "sender"),
        ('[notify.channels.a]\nkind = "slack-webhook"\nsecret = "PAGER_KEY"', "notify-url", ""),
        ("[notify]\nchannels = 3", "wrong-setting", "must be a table"),
    ],
)
def test_a_wrong_table_is_one_clear_line_without_the_secret(
    tmp_path: Path, text: str, slug: str, words: str
) -> None:
    with pytest.raises(RequestError) as caught:
        channels(tmp_path, text)
    assert caught.value.slug == slug
    assert words in str(caught.value)
    assert "hooks.example.org" not in str(caught.value)
