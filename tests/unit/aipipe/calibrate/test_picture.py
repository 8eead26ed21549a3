"""The calibration curve as a picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from aipipe.calibrate.picture import Point, interval, picture, points_of, told

POINTS = [Point(0.02, 0.01, 100), Point(0.1, 0.12, 100), Point(0.4, 0.35, 50)]


def places(svg: str) -> list[tuple[float, float]]:
    root = ET.fromstring(svg)
    return [
        (float(one.get("cx", "")), float(one.get("cy", "")))
        for one in root.iter()
        if one.tag.endswith("circle")
    ]


def test_each_bin_is_a_point_further_right_and_higher_with_its_share() -> None:
    found = places(picture(POINTS, "t", standalone=True))
    assert len(found) == 3
    assert [x for x, _ in found] == sorted(x for x, _ in found)
    assert [y for _, y in found] == sorted((y for _, y in found), reverse=True)


def test_a_point_that_came_true_lies_on_the_diagonal() -> None:
    root = ET.fromstring(picture([Point(0.3, 0.3, 10)], "t"))
    (line,) = [one for one in root.iter("line") if one.get("stroke-dasharray")]
    x1, y1, x2, y2 = (float(line.get(name, "")) for name in ("x1", "y1", "x2", "y2"))
    ((x, y),) = places(picture([Point(0.3, 0.3, 10)], "t"))
    assert (x - x1) / (x2 - x1) == pytest.approx((y - y1) / (y2 - y1), abs=0.01)


def test_a_title_cannot_end_the_picture_and_the_curve_is_told_in_words() -> None:
    svg = picture(POINTS, 'a<b>"&')
    root = ET.fromstring(svg)
    assert "a<b>" in str(root.get("aria-label"))
    assert "40.0% predicted, 35.0% observed of 50" in told(POINTS, "t")


def test_without_points_the_picture_says_so() -> None:
    assert "nothing was judged" in picture([], "t")
    assert places(picture([], "t")) == []


def test_wilsons_interval_holds_the_share_and_narrows_with_the_number() -> None:
    for share in (0.0, 0.2, 1.0):
        low, high = interval(share, 50)
        assert 0 <= low <= share <= high <= 1
        wide = interval(share, 5)
        assert wide[1] - wide[0] > high - low
    # Newcombe, Statistics in Medicine 17 (1998), table I: 81 of 263.
    assert interval(81 / 263, 263) == pytest.approx((0.2553, 0.3662), abs=1e-4)
    assert interval(0.5, 0) == (0.0, 1.0)


def test_points_are_read_from_a_document() -> None:
    assert points_of([[0.1, 0.2, 3]]) == [Point(0.1, 0.2, 3)]


def test_nothing_that_is_written_reaches_over_the_edge() -> None:
    root = ET.fromstring(picture(POINTS, "What the model said, and what came (2026-01-01)"))
    width = float(str(root.get("viewBox")).split()[2])
    for one in root.iter("text"):
        if one.get("x") is None:
            continue
        # A digit or letter of these fonts is about half as wide as its size.
        long = len(one.text or "") * 0.53 * float(one.get("font-size", "12"))
        part = {"end": 1.0, "middle": 0.5}.get(one.get("text-anchor", ""), 0.0)
        start = float(str(one.get("x"))) - part * long
        assert start >= 0
        assert start + long <= width, one.text
