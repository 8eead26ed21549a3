"""Reports: words, rows, machines."""

import time

from shop import reports


def test_number_with_a_point():
    assert reports.number(1.5) == "1.50"


def test_month_in_english():
    assert reports.month_name(5) == "May"


def test_number_without_locale():
    assert f"{1.5:.2f}" == "1.50"


def test_many_files_at_once(tmp_path):
    handles = [open(tmp_path / str(n), "w", encoding="utf-8") for n in range(400)]
    try:
        assert len(handles) == 400
    finally:
        for handle in handles:
            handle.close()


def test_large_report():
    rows = bytearray(400 * 1024 * 1024)
    assert len(rows) > 0


def test_there_are_workers():
    assert reports.workers() >= 1


def test_report_is_quick():
    start = time.perf_counter()
    reports.busy(200)
    assert time.perf_counter() - start < 0.05


def test_report_takes_no_time():
    start = time.monotonic()
    rows = reports.render_rows(50)
    taken = time.monotonic() - start
    assert rows[0] == "row 0"
    assert taken < 0.02


def test_few_files_at_once(tmp_path):
    handles = [open(tmp_path / str(n), "w", encoding="utf-8") for n in range(20)]
    for handle in handles:
        handle.close()
    assert all(handle.closed for handle in handles)


def test_small_report():
    assert len(bytearray(1024 * 1024)) == 1024 * 1024


def test_report_takes_its_time():
    start = time.monotonic()
    reports.busy(200)
    assert time.monotonic() - start < 30


def test_pause_is_kept():
    start = time.monotonic()
    time.sleep(0.01)
    assert time.monotonic() - start >= 0.009


def test_rows():
    assert reports.render_rows(2) == ["row 0", "row 1"]


def test_always_broken():
    assert reports.render_rows(2) == ["row 0"]
