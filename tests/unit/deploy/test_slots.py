"""Slots: what HAProxy shows, and the lines that move traffic."""

from __future__ import annotations

import pytest

from aipipe_deploy.config import parse_deploy
from aipipe_deploy.proxy.proxy import parse_file
from aipipe_deploy.proxy.render import render
from aipipe_deploy.proxy.slots import Slot, parse_servers_state, shifting, weights_for

SHOWN = """1
# be_id be_name srv_id srv_name srv_addr srv_op_state srv_admin_state srv_uweight srv_iweight srv_time_since_last_change srv_check_status srv_check_result srv_check_health srv_check_state srv_agent_state bk_f_forced_id srv_f_forced_id srv_fqdn srv_port srvrecord srv_use_ssl srv_check_port srv_check_addr srv_agent_addr srv_agent_port
3 web 1 s1 10.213.7.130 2 4 100 0 0 1 0 1 6 0 0 0 - 8000 - 0 0 - - 0
3 web 2 s2 127.0.0.1 0 5 0 0 1 1 0 0 14 0 0 0 - 9 - 0 0 - - 0
"""


def test_a_slot_that_the_file_closed_and_a_command_opened_is_open() -> None:
    first, second = parse_servers_state(SHOWN)

    assert first == Slot("web", "s1", "10.213.7.130", 8000, 100, open=True)
    assert first.serves
    assert not second.open
    assert second.free


def test_whoever_gets_more_traffic_comes_first() -> None:
    lines = shifting([("web", "s1", 0), ("web", "s2", 200)], sticky=frozenset())

    assert lines == ["set server web/s2 weight 200", "set server web/s1 weight 0"]


def test_a_cookie_does_not_keep_a_user_at_a_server_without_weight() -> None:
    lines = shifting([("web", "s1", 0), ("web", "s2", 200)], sticky=frozenset({"web"}))

    assert lines[0] == "set server web/s2 state ready"
    assert lines[-1] == "set server web/s1 state maint"


@pytest.mark.parametrize("share", [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99])
@pytest.mark.parametrize(("old", "new"), [(1, 1), (3, 1), (2, 5)])
def test_weights_give_the_new_version_its_share(share: float, old: int, new: int) -> None:
    heavy_old, heavy_new = weights_for(share, old, new)

    assert min(heavy_old, heavy_new) >= 1
    assert max(heavy_old, heavy_new) <= 256
    got = new * heavy_new / (new * heavy_new + old * heavy_old)
    assert got == pytest.approx(share, rel=0.25)


def test_nothing_to_share_with_means_all_or_nothing() -> None:
    assert weights_for(1.0, 2, 2)[0] == 0
    assert weights_for(0.0, 2, 2)[1] == 0
    assert weights_for(0.5, 0, 2)[1] > 0


def test_the_file_brings_the_slots_back_as_they_were() -> None:
    deploy = parse_deploy(
        {"services": {"web": {"image": "i", "port": 80, "sticky": True}, "job": {"image": "i"}}},
        where="x",
    )
    slots = [Slot("web", "s3", "10.0.0.9", 8000, 7, open=True)]
    from pathlib import Path

    text = render(deploy, slots, socket=Path("/run/x.sock"), passed=True)
    found = {slot.name: slot for slot in parse_file(text)}

    assert found["s3"] == slots[0]
    assert found["s1"].free
    assert len(found) == deploy.proxy.slots
    assert text == render(deploy, parse_file(text), socket=Path("/run/x.sock"), passed=True)
    assert "backend job" not in text
    assert 'bind "fd@${AIPIPE_FD_WEB}"' in text
