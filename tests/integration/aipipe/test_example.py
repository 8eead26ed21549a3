"""The example's changes: each applies on the one before it and is assessed as its bench says."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from aipipe.analyze import analyze
from aipipe_core.config import load
from aipipe_deploy.config import load_deploy

if TYPE_CHECKING:
    from tests.integration.conftest import Project

ORDERS = Path(__file__).parents[3] / "examples" / "orders"
CHANGES = ("wording", "vouchers", "tokens")


@pytest.fixture
def orders(project: Project) -> Project:
    shutil.copytree(ORDERS, project.root, dirs_exist_ok=True,
                    ignore=shutil.ignore_patterns("__pycache__", ".aipipe"))  # fmt: skip
    project.commit("The order service")
    return project


def test_the_changes_are_low_medium_and_high(orders: Project) -> None:
    settings = load(orders.root, environ={}, flags={})
    found = []
    for name in CHANGES:
        orders.git("apply", f"changes/{name}.patch")
        orders.commit(name.capitalize())
        found.append(analyze(orders.root, "HEAD~1..HEAD", settings))
    assert [one.risk.level for one in found] == ["low", "medium", "high"]
    assert [one.route.strategy for one in found] == ["rolling", "rolling", "canary"]
    assert "risk.yaml" in found[2].risk.reasons[0].feature.text


def test_its_release_is_configured_for_the_image_that_its_pipeline_builds(orders: Project) -> None:
    service = load_deploy(orders.root).services["web"]
    assert f'arguments: [--tag, "{service.image}"]' in (orders.root / "pipeline.yaml").read_text()
