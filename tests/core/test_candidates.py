"""Which candidates `params.yaml` lists, and which encoders these begin with."""

from gazette.core import candidates

FURTHER = {
    "fine_tuned": {"tuned": "large"},
    "frozen": {"probe": "small", "wide": "large"},
    "distilled": {"student": "tuned"},
}


def test_candidates_that_begin_with_something_come_after_the_others() -> None:
    assert candidates.of({"candidates": ["linear", "cnn"], "further": FURTHER}) == [
        "linear", "cnn", "tuned", "probe", "wide", "student",
    ]  # fmt: skip


def test_params_of_old_list_candidates_alone() -> None:
    assert candidates.of({"candidates": ["linear"]}) == ["linear"]
    assert candidates.encoders({"candidates": ["linear"]}) == []


def test_an_encoder_is_named_once_and_a_teacher_is_none() -> None:
    assert candidates.encoders({"candidates": [], "further": FURTHER}) == ["large", "small"]
