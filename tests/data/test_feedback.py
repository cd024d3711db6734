"""Answers of people, on a disk that was full for a moment."""

from dataclasses import replace
from pathlib import Path

import pytest
from prefect_dvc.core.errors import DataContractError

from gazette.data import feedback
from gazette.data.feedback import Feedback

ANSWER = Feedback("A goal", "sport", "trade", "d", "2026-11-29T03:00:00", "ab12", "volunteered")


def test_a_line_that_was_cut_off_costs_no_other(tmp_path: Path) -> None:
    path = feedback.append(tmp_path, ANSWER)
    path.write_bytes(path.read_bytes() + b'{"text": "A g')
    later = replace(ANSWER, text="A match")
    feedback.append(tmp_path, later)
    feedback.append(tmp_path, ANSWER)
    assert feedback.read(path) == ([(1, ANSWER), (2, later), (3, ANSWER)], 0)


def test_a_line_that_an_earlier_version_left_half_written_is_counted(tmp_path: Path) -> None:
    path = feedback.append(tmp_path, ANSWER)
    path.write_bytes(path.read_bytes() + b'{"text": "A g\n')
    feedback.append(tmp_path, ANSWER)
    assert feedback.read(path) == ([(1, ANSWER), (3, ANSWER)], 1)


def test_a_file_in_utf16_is_named_as_that(tmp_path: Path) -> None:
    path = feedback.append(tmp_path, ANSWER)
    path.write_text(path.read_text(), encoding="utf-16")
    with pytest.raises(DataContractError, match="line 1: UTF-16, expected UTF-8"):
        feedback.read(path)


def test_a_line_that_is_json_and_no_answer_is_refused(tmp_path: Path) -> None:
    path = feedback.append(tmp_path, replace(ANSWER, how="guessed"))  # type: ignore[arg-type]
    with pytest.raises(DataContractError, match="line 1: `how` is 'guessed'"):
        feedback.read(path)
