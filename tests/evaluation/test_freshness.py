"""The report is written again when, and only when, something that it shows changed."""

import os
from pathlib import Path

import pytest

from gazette.evaluation.report import freshness

PATHS = {"evaluate": {"metrics": "reports/metrics.json"}, "validate": {"report": "reports/validation.json"}}


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "reports").mkdir()
    for name in ("params.yaml", "dvc.yaml", "dvc.lock", "reports/metrics.json", "reports/validation.json"):
        (tmp_path / name).write_text("1\n")
        os.utime(tmp_path / name, (1, 1))
    path = freshness.report_path(PATHS)
    path.write_text("page")
    return path


def test_a_report_of_the_present_state_is_fresh_and_none_is_not(page: Path) -> None:
    assert page == Path("reports/report.html")
    assert freshness.is_fresh(page, PATHS)
    page.unlink()
    assert not freshness.is_fresh(page, PATHS)


@pytest.mark.parametrize("name", ["params.yaml", "dvc.lock", "reports/validation.json"])
def test_a_report_that_is_older_than_what_it_shows_is_not(page: Path, name: str) -> None:
    written = page.stat().st_mtime
    os.utime(name, (written + 1, written + 1))
    assert not freshness.is_fresh(page, PATHS)


def test_a_report_that_is_older_than_the_code_that_writes_it_is_not(page: Path) -> None:
    os.utime(page, (2, 2))
    assert not freshness.is_fresh(page, PATHS)
