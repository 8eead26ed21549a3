"""The table ``deploy`` of a configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from aipipe_core.config import load
from aipipe_core.errors import RequestError
from aipipe_deploy.config import Deploy, load_deploy, parse_deploy

if TYPE_CHECKING:
    from pathlib import Path

WEB: dict[str, Any] = {"image": "shop/web:1", "port": 8000}


def parsed(**table: Any) -> Deploy:
    return parse_deploy(
        {"services": {"web": dict(WEB)}} | table, where="aipipe.toml", folder="Shop 2"
    )


def refused(**table: Any) -> RequestError:
    with pytest.raises(RequestError) as caught:
        parsed(**table)
    return caught.value


def test_a_service_needs_no_more_than_an_image() -> None:
    deploy = parse_deploy({"services": {"worker": {"image": "w"}}}, where="x", folder="Shop 2")

    assert deploy.project == "shop-2"
    assert deploy.services["worker"].public == 0
    assert deploy.subnet.endswith(".0/24")


@pytest.mark.parametrize(
    ("table", "name", "near"),
    [
        ({"projct": "x"}, "deploy.projct", "project"),
        ({"service": {}}, "deploy.service", "services"),
        ({"proxy": {"kidn": "process"}}, "deploy.proxy.kidn", "kind"),
        ({"watch": {"second": 3}}, "deploy.watch.second", "seconds"),
        ({"services": {"web": WEB | {"imgae": "x"}}}, "deploy.services.web.imgae", "image"),
        (
            {"services": {"web": WEB | {"jobs": [{"nmae": "m"}]}}},
            "deploy.services.web.jobs.nmae",
            "name",
        ),
        ({"calendar": {"freze": []}}, "deploy.calendar.freze", "freeze"),
        ({"services": {"web": WEB | {"after": ["wbe"]}}}, "deploy.services.web.after", "web"),
    ],
)
def test_an_unknown_key_is_an_error_that_names_the_nearest(
    table: dict[str, Any], name: str, near: str
) -> None:
    error = refused(**table)

    assert error.slug == "unknown-setting"
    assert name in str(error)
    assert f"Did you mean {near!r}?" in str(error)


@pytest.mark.parametrize(
    ("table", "words"),
    [
        ({"services": {}}, "at least one service"),
        ({"services": {"web": {"port": 1}}}, "must name an image"),
        ({"services": {"Web": WEB}}, "lower-case"),
        ({"services": {"web": WEB | {"port": 70000}}}, "from 0 to 65535"),
        ({"services": {"web": WEB | {"health": "health"}}}, "must be a path"),
        ({"services": {"web": WEB | {"health": "/a\nb"}}}, "must be a path"),
        ({"services": {"a": WEB, "b": WEB}}, "as a's is"),
        ({"services": {"a": {"image": "i", "after": ["b"]}, "b": {"image": "i", "after": ["a"]}}}, "wait for each other"),
        ({"services": {"web": WEB | {"replicas": 9}}}, "two versions"),
        ({"services": {"web": WEB | {"volumes": ["data"]}}}, "SOURCE:/path"),
        ({"services": {"web": WEB | {"env": {"A": [1]}}}}, "must hold text for A"),
        ({"services": {"web": WEB | {"env": {"A=B": "1"}}}}, "A=B"),
        ({"services": {"web": WEB | {"jobs": [{"name": "m"}]}}}, "a name and a command"),
        ({"services": {"web": {"image": "i", "listen": 80}}}, "needs a port"),
        ({"subnet": "10.0.0.0/30"}, "at least 64"),
        ({"subnet": "elsewhere"}, "is no network"),
        ({"canary": {"steps": [50, 5]}}, "rising"),
        ({"canary": {"steps": [5, 100]}}, "rising"),
        ({"calendar": {"quiet": ["friday"]}}, "fri 16:00-mon 08:00"),
        ({"calendar": {"timezone": "Mars/Olympus"}}, "time zone"),
        ({"calendar": {"freeze": [{"start": "2026-01-02", "end": "2026-01-01"}]}}, "ends before"),
        ({"proxy": {"bind": "0.0.0.0\n  bad"}}, "an address"),
        ({"watch": 3}, "must be a table"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_with_its_place(table: dict[str, Any], words: str) -> None:
    error = refused(**table)

    assert error.slug in ("wrong-setting", "unknown-setting")
    assert words in str(error)


def test_services_come_after_those_that_they_name() -> None:
    services = {
        "web": WEB | {"after": ["api"]},
        "api": {"image": "a", "after": ["db"]},
        "db": {"image": "d"},
    }

    assert [s.name for s in parsed(services=services).in_order()] == ["db", "api", "web"]


def test_a_command_may_be_text_or_words() -> None:
    services = {"web": WEB | {"command": "python -c 'import x'"}}

    assert parsed(services=services).services["web"].command == ("python", "-c", "import x")


def test_the_rest_of_the_house_passes_over_the_table(tmp_path: Path) -> None:
    (tmp_path / "aipipe.toml").write_text(
        'budget = 5\n[deploy.services.web]\nimage = "x"\n', encoding="utf-8"
    )

    assert load(tmp_path, environ={}, flags={}).budget == 5
    assert load_deploy(tmp_path).services["web"].image == "x"


def test_pyproject_may_hold_it_as_well(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        '[tool.aipipe.deploy.services.web]\nimage = "x"\n', encoding="utf-8"
    )

    assert load_deploy(tmp_path).where == "pyproject.toml"


def test_a_project_without_the_table_is_told_where_to_begin(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"deploy\.services\.NAME") as caught:
        load_deploy(tmp_path)

    assert caught.value.slug == "deploy-unconfigured"
