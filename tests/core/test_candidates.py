"""The candidates of `params.yaml`, and the encoders that they start from."""

from typing import Any

import pytest
from prefect_dvc.core.errors import ConfigError

from gazette.core import candidates

PARAMS: dict[str, Any] = {
    "candidates": ["linear", "cnn"],
    "pretrained": {"fine_tune": {"tuned": "large"}, "linear_probe": {"probe": "small", "wide": "large"}},
    "teachers": {"student": "tuned"},
}


def test_candidates_from_an_encoder_or_a_teacher_come_after_the_others() -> None:
    assert candidates.all_candidates(PARAMS) == ["linear", "cnn", "tuned", "probe", "wide", "student"]


def test_an_encoder_is_listed_once_and_a_teacher_is_no_encoder() -> None:
    assert candidates.list_encoders(PARAMS) == ["large", "small"]


def test_a_section_that_is_missing_is_named() -> None:
    with pytest.raises(ConfigError, match=r"params\.yaml has no section pretrained, teachers"):
        candidates.all_candidates({"candidates": ["linear"]})
