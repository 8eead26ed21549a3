"""The report on an image: layers, growth, the last builds, the page."""

from __future__ import annotations

import importlib.util
import json
import os
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from aipipe_build.cli import main
from aipipe_build.image.archive import read_archive
from aipipe_build.report.builds import family
from aipipe_build.report.growth import growth
from aipipe_build.report.image import report_image
from aipipe_build.report.image_markdown import render_image
from aipipe_build.report.measure import measure_image
from aipipe_build.report.page import render_page
from aipipe_build.report.picture import picture_of_builds, picture_of_layers
from aipipe_build.run.outcome import ImageOutcome, Result, run_document
from aipipe_core.documents import validate, write_document
from aipipe_core.errors import AipipeError

NAME = "build_images"
if NAME not in sys.modules:
    _spec = importlib.util.spec_from_file_location(NAME, Path(__file__).parents[1] / "images.py")
    assert _spec is not None
    assert _spec.loader is not None
    _module = importlib.util.module_from_spec(_spec)
    sys.modules[NAME] = _module
    _spec.loader.exec_module(_module)
IMAGES: Any = sys.modules[NAME]

META = "usr/lib/python3/site-packages/alpha-{0}.dist-info/METADATA"


def measured(folder: Path, *layers: bytes, made_by: tuple[str, ...]) -> dict[str, Any]:
    path = IMAGES.save(folder / "i.tar", *layers, made_by=made_by)
    return measure_image(read_archive(path), name="web", identity=f"sha256:{len(layers)}")


@pytest.fixture
def before(tmp_path: Path) -> dict[str, Any]:
    base = IMAGES.layer(("usr/lib/a.so", "x" * 500_000))
    deps = IMAGES.layer((META.format(1), "Name: alpha\nVersion: 1\n"), ("opt/lib/b", "y" * 90_000))
    return measured(tmp_path, base, deps, made_by=("ADD base", "RUN pip install -r r.txt"))


@pytest.fixture
def after(tmp_path: Path) -> dict[str, Any]:
    base = IMAGES.layer(("usr/lib/a.so", "x" * 500_000))
    deps = IMAGES.layer((META.format(2), "Name: alpha\nVersion: 2\n"), ("opt/lib/b", "y" * 290_000))
    code = IMAGES.layer((".wh.opt", ""), ("opt/lib/b", "z" * 300_000), ("srv/<b>", "1" * 30_000))
    made_by = ("ADD base", "RUN pip install -r r.txt", "COPY <script>alert(1)</script> | `x` /")
    return measured(tmp_path, base, deps, code, made_by=made_by)


def test_an_image_is_measured_by_layer_and_folder(after: dict[str, Any]) -> None:
    validate("image", {"schema": 1, "images": [after]})
    assert [row["size"] for row in after["layers"]] == [500_000, 290_023, 330_000]
    assert [row["wasted"] for row in after["layers"]] == [0, 290_000, 0]
    folders = {row["path"]: (row["size"], row["layer"]) for row in after["folders"]}
    assert folders["opt/lib"] == (300_000, 2)
    assert folders["usr"][1] == 0


def test_what_grew_is_told_where_and_why(before: dict[str, Any], after: dict[str, Any]) -> None:
    found = growth(before, after)
    assert found["change"] == after["size"] - before["size"]
    rows = {row["path"]: row for row in found["folders"]}
    assert list(rows) == ["/opt/lib", "/srv"]
    assert rows["/opt/lib"]["change"] == 210_000
    assert rows["/srv"]["why"].startswith("mostly of COPY <script>")
    assert found["packages"] == [
        {"ecosystem": "PyPI", "name": "alpha", "before": "1", "after": "2"}
    ]
    assert growth(after, after)["folders"] == []
    gone = {row["path"]: row for row in growth(after, before)["folders"]}
    assert gone["/srv"]["why"].startswith("was of COPY")


def test_many_small_folders_are_told_as_the_one_above_them(tmp_path: Path) -> None:
    languages = [(f"usr/share/locale/l{n}/x", "x" * 30_000) for n in range(20)]
    tools = IMAGES.layer(("usr/lib/gcc/cc1", "x" * 900_000), *languages)
    base = IMAGES.layer(("usr/bin/python", "x" * 700_000))
    slim = measured(tmp_path, base, made_by=("ADD base",))
    full = measured(tmp_path, base, tools, made_by=("ADD base", "RUN apt-get install -y gcc"))
    rows = growth(slim, full)["folders"]
    assert [(row["path"], row["change"]) for row in rows] == [
        ("/usr/lib/gcc", 900_000), ("/usr/share/locale", 600_000),
    ]  # fmt: skip


def test_what_a_folder_lost_is_told_by_the_instruction_that_had_made_it(tmp_path: Path) -> None:
    base = IMAGES.layer(("usr/bin/python", "x" * 700_000))
    tools = IMAGES.layer(("usr/bin/gcc", "x" * 300_000))
    slim = measured(tmp_path, base, made_by=("ADD base",))
    full = measured(tmp_path, base, tools, made_by=("ADD base", "RUN apt-get install -y gcc"))
    (gone,), (came,) = growth(full, slim)["folders"], growth(slim, full)["folders"]
    assert (gone["path"], gone["why"]) == ("/usr/bin", "was of RUN apt-get install -y gcc")
    assert came["why"] == "mostly of RUN apt-get install -y gcc"
    for image in (full, slim):
        for row in image["folders"]:
            del row["by_layer"]  # as an older version has measured it
    assert growth(full, slim)["folders"][0]["change"] == -300_000


def test_an_instruction_of_a_page_is_cut_in_the_reasons(
    before: dict[str, Any], after: dict[str, Any]
) -> None:
    long = f"COPY {'a' * 400} /srv"
    layers = [{**row, "instruction": long} for row in after["layers"]]
    (why,) = {row["why"] for row in growth(before, {**after, "layers": layers})["folders"]}
    assert why == f"mostly of {long[:89]}…"


def run_of(folder: Path, image: dict[str, Any], seconds: float, age: int) -> Path:
    outcome = ImageOutcome(
        "web", ".", "Dockerfile", decision="cached", reason="line 3: <x> changed",
        result=Result.BUILT, image=image["image"], seconds=seconds,
    )  # fmt: skip
    path = folder / "build.json"
    write_document(path, "build", run_document([outcome]))
    write_document(folder / "image.json", "image", {"schema": 1, "images": [image]})
    os.utime(path, ns=(age, age))
    return path


@pytest.fixture
def document(tmp_path: Path, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    runs = tmp_path / "runs"
    for number in range(12):
        run_of(runs / f"r{number:02}", before, 5.0, number)
    path = run_of(runs / "r99", after, 65.0, 99)
    run = json.loads(path.read_text())
    return report_image(run, path, [runs], tmp_path)


def test_the_last_ten_builds_and_the_last_other_image_are_found(document: dict[str, Any]) -> None:
    validate("image-report", document)
    assert [row["run"] for row in document["builds"]][:1] == ["r03"]
    assert len(document["builds"]) == 10
    assert document["builds"][-1]["seconds"] == 65.0
    assert document["against"]["image"] == "sha256:2"


@pytest.mark.parametrize(
    ("name", "found"),
    [("web", "web"), ("web:1", "web"), ("r:5000/a/web:1", "r:5000/a/web"), ("a/b@sha256:1", "a/b")],
)
def test_a_tag_of_each_commit_makes_no_other_image(name: str, found: str) -> None:
    assert family(name) == found


def test_the_pictures_are_svg_and_a_strangers_text_stays_text(document: dict[str, Any]) -> None:
    for picture in (picture_of_layers(document["image"]), picture_of_builds(document["builds"])):
        root = ET.fromstring(picture)
        assert root.tag.endswith("svg")
        assert "<script>" not in picture
    assert "COPY <script>alert(1)</script>" in "".join(
        ET.fromstring(picture_of_layers(document["image"])).itertext()
    )


def test_the_page_loads_nothing_and_runs_nothing(document: dict[str, Any]) -> None:
    page = render_page(document)
    assert "<script" not in page
    assert "default-src 'none'" in page
    assert "&lt;script&gt;" in page
    assert "The last 10 builds" in page


def test_the_markdown_keeps_its_tables(document: dict[str, Any]) -> None:
    text = render_image(document)
    assert "| `/opt/lib` | 90.0 kB | 300.0 kB | +210.0 kB |" in text
    assert "`` COPY <script>alert(1)</script> \\| `x` / ``" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert {line.replace("\\|", "").count("|") for line in rows} == {6, 4, 5, 7}


def test_a_run_without_an_image_is_told(tmp_path: Path, before: dict[str, Any]) -> None:
    path = run_of(tmp_path / "runs" / "a", before, 1.0, 1)
    run = json.loads(path.read_text())
    with pytest.raises(AipipeError, match="image-not-in-run"):
        report_image(run, path, [tmp_path / "runs"], tmp_path, name="other")


def test_an_image_that_is_measured_late_leaves_the_others_measures_as_they_are(
    tmp_path: Path, before: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runs" / "a"
    path = run_of(folder, before, 1.0, 1)
    write_document(
        folder / "image.json", "image", {"schema": 1, "images": [{**before, "name": "other"}]}
    )
    late = IMAGES.save(tmp_path / "late.tar", IMAGES.layer(("srv/a", "x" * 700)))
    monkeypatch.setattr(  # no engine here that gives the image away
        "aipipe_build.report.image.load_image", lambda reference, folder: read_archive(late)
    )
    report_image(json.loads(path.read_text()), path, [tmp_path / "runs"], tmp_path)
    kept = json.loads((folder / "image.json").read_text())["images"]
    assert [(row["name"], row["size"]) for row in kept] == [("other", before["size"]), ("web", 700)]


def test_the_command_writes_the_page_and_prints_markdown_or_json(
    tmp_path: Path,
    before: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    (tmp_path / "context").mkdir()
    run_of(tmp_path / ".aipipe" / "runs" / "1", before, 1.0, 1)
    assert main(["report", "--context", "context", "--image", "--html", "page.html"]) == 0
    assert capsys.readouterr().out.startswith("## web\n")
    assert (tmp_path / "page.html").read_text().startswith("<!doctype html>")
    assert main(["report", "--context", "context", "--image", "web", "--json"]) == 0
    validate("image-report", json.loads(capsys.readouterr().out))
    assert main(["report", "--context", "context", "--html", "no/such/folder"]) == 3
    assert "document-unwritable" in capsys.readouterr().err
