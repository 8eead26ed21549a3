"""What Docker says, as one clear message; and secrets that leave no trace."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from aipipe_core.errors import AipipeError, RequestError
from aipipe_deploy.config import parse_deploy
from aipipe_deploy.targets import Command, DockerHost, Member, Shell, Unit
from aipipe_deploy.targets.argv import create

if TYPE_CHECKING:
    from pathlib import Path

UNIT = Unit(
    service="web", release=3, image="shop/web:1", digest="sha256:1",
    members=(Member("shop-web-r3-1", "10.1.1.2", 8000, "s1"),), replicas=1, port=8000,
    health="/health", ready=5.0, drain=5.0, sticky=False,
    env=(("LEVEL", "info"),), secrets=("TOKEN",), volumes=("data:/data",),
)  # fmt: skip


def client(folder: Path, script: str) -> dict[str, str]:
    """Put a Docker client of our own on the PATH; return the environment."""
    program = folder / "docker"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    return {"PATH": f"{folder}:/usr/bin:/bin", "TOKEN": "hush-7312", "OTHER": "plain"}


@pytest.mark.parametrize(
    ("said", "slug"),
    [
        (
            "permission denied while trying to connect: dial unix /x.sock: connect: permission denied",
            "engine-permission",
        ),
        ("Cannot connect to the Docker daemon at unix:///x. Is it running?", "engine-unreachable"),
        ("Error response from daemon: No such image: shop/web:1", "image-missing"),
        ("pull access denied for shop/web, repository does not exist", "image-missing"),
        ("manifest unknown: manifest unknown", "image-missing"),
        ("invalid reference format: repository name must be lowercase", "image-missing"),
        ("failed to register layer: write /x: no space left on device", "disk-full"),
        ("Pool overlaps with other one on this address space", "subnet-taken"),
        ("driver failed: Bind for 0.0.0.0:80 failed: port is already allocated", "port-taken"),
        ("something that nobody foresaw", "engine-failed"),
    ],
)
def test_each_cause_has_a_slug_of_its_own(tmp_path: Path, said: str, slug: str) -> None:
    shell = Shell(environ=client(tmp_path, f"echo '{said}' >&2; exit 1"))

    with pytest.raises(AipipeError) as caught:
        shell.run(Command(("docker", "version")))

    assert caught.value.slug == slug
    assert "\n" not in str(caught.value)
    assert caught.value.hint


def test_without_a_client_the_message_says_so() -> None:
    with pytest.raises(AipipeError) as caught:
        Shell(environ={"PATH": "/nowhere"}).run(Command(("docker-is-not-here",)))
    assert caught.value.slug == "docker-missing"


def test_a_client_that_hangs_is_given_up(tmp_path: Path) -> None:
    shell = Shell(environ=client(tmp_path, "exec sleep 30"))
    with pytest.raises(AipipeError) as caught:
        shell.run(Command(("docker", "version"), timeout=0.1))
    assert caught.value.slug == "engine-slow"


def test_a_secret_is_in_no_argument() -> None:
    command = create("shop", UNIT, UNIT.members[0])

    assert command.secrets == ("TOKEN",)
    position = command.argv.index("TOKEN")
    assert command.argv[position - 1] == "--env"
    assert "LEVEL=info" in command.argv


def test_only_who_needs_a_secret_inherits_it(tmp_path: Path) -> None:
    shell = Shell(
        environ=client(tmp_path, 'echo "[$TOKEN] [$OTHER]"'), secrets=frozenset({"TOKEN"})
    )

    assert shell.run(Command(("docker", "ps"))) == "[] [plain]\n"
    assert shell.run(Command(("docker", "create"), ("TOKEN",))) == "[hush-7312] [plain]\n"


def test_a_secret_that_docker_repeats_is_masked(tmp_path: Path) -> None:
    shell = Shell(
        environ=client(tmp_path, 'echo "bad value $TOKEN" >&2; exit 1'),
        secrets=frozenset({"TOKEN"}),
    )
    with pytest.raises(AipipeError, match=r"bad value \*\*\*") as caught:
        shell.run(Command(("docker", "create"), ("TOKEN",)))
    assert "hush" not in str(caught.value)


def test_a_unit_without_its_secret_is_not_made(tmp_path: Path) -> None:
    environ = client(
        tmp_path, 'case "$2" in inspect) echo "[]"; echo "No such container" >&2; exit 1;; esac'
    )
    del environ["TOKEN"]
    deploy = parse_deploy({"services": {"web": {"image": "i", "port": 1}}}, where="x")
    with pytest.raises(RequestError, match="TOKEN") as caught:
        DockerHost(deploy, Shell(environ=environ, secrets=frozenset({"TOKEN"}))).start(UNIT)
    assert caught.value.slug == "secret-missing"


def test_addresses_are_of_the_second_half_and_never_taken_twice() -> None:
    deploy = parse_deploy(
        {"subnet": "10.9.8.0/26", "services": {"web": {"image": "i", "port": 80, "replicas": 3}}},
        where="x",
    )
    target = DockerHost(deploy, Shell(environ={}))
    service = deploy.services["web"]
    taken: list[Member] = []
    for release in range(1, 6):
        taken += target.members(service, release=release, taken=taken, slots=["s1", "s2", "s3"])

    addresses = [member.address for member in taken]
    assert len(set(addresses)) == 15
    assert all(address.startswith("10.9.8.") for address in addresses)
    assert min(int(address.rsplit(".", 1)[1]) for address in addresses) >= 32
    assert max(int(address.rsplit(".", 1)[1]) for address in addresses) <= 62
    taken = [Member("x", f"10.9.8.{last}", 80) for last in range(64)]
    with pytest.raises(RequestError) as caught:
        target.members(service, release=1, taken=taken, slots=["s1", "s2", "s3"])
    assert caught.value.slug == "subnet-full"


def test_the_same_configuration_is_the_same_version() -> None:
    from dataclasses import replace

    same = replace(UNIT, release=9, members=(), ready=1.0, image="shop/web:latest")

    assert same.fingerprint() == UNIT.fingerprint()
    assert replace(UNIT, digest="sha256:2").fingerprint() != UNIT.fingerprint()
    assert replace(UNIT, env=()).fingerprint() != UNIT.fingerprint()
