"""The page: self-contained, with what a corpus or a person wrote only as text."""

from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from gazette.monitoring import cusum
from gazette.monitoring.observation import Observation
from gazette.monitoring.page import page
from gazette.monitoring.params import Params
from gazette.training.explanation.domain import Difference

ATTACK = "</script><b>sport‮"
PARAMS = Params(
    window_days=28, unlabeled_alarms_a_year=0.5, min_change=0.01, resamples=400, seed=7, loss=0.07,
    labeled_alarms_a_year=0.1, error_correlation=0.01, labels_a_week=25, disagreement=0.2, confidence=0.95,
)  # fmt: skip
DELAYS = [{"points": "5", "weeks": {25: 21, 100: None}}]
WORDS = Difference(0.7, [{"word": f"{ATTACK}covid", "weight": 1.0, "before": 0.0, "after": 0.5}])


def window(number: int, **more: Any) -> dict[str, Any]:
    begin = datetime(2026, 1, 5) + timedelta(days=28 * number)
    row = {
        "from": f"{begin:%Y-%m-%d}", "to": f"{begin + timedelta(days=27):%Y-%m-%d}", "rows": 1234, "confidence": 0.9,
        "unknown": 0.01, "tokens": 40.0, "certain": 0.9, "labels": {ATTACK: 0.6, "world": 0.4}, "languages": {},
        "is_reference": number < 6, "distances": {}, "thresholds": {}, "alarms": [], "labeled": None,
    }  # fmt: skip
    return row | more


def observation(**more: Any) -> Observation:
    errors = np.array([0, 1] * 20)
    facts: dict[str, Any] = {
        "digest": "d.dir", "version": "3", "windows": [], "unlabeled_alarms": [], "labels": 40, "new_rows": 40,
        "cusum": cusum.run(errors, 0.1, 0.07, 5.0), "name": ATTACK, "error": 0.1, "notes": [f"note {ATTACK}"],
        "hours": [datetime(2026, 5, 1, tzinfo=UTC)] * 40,
        "accuracy": {"rows": 40, "accuracy": 0.5, "low": 0.35, "high": 0.65},
    }  # fmt: skip
    return Observation(**facts | more)


def alarming() -> Observation:
    limits = {"labels": 0.05, "confidence": 0.02}
    newest = window(
        7, thresholds=limits, distances={"labels": 0.1, "confidence": 0.0}, alarms=["labels"],
        unlabeled={"cbpe": 0.9, "atc": 0.91}, mix={"accuracy": 0.9, "shares": {}},
        labeled={"rows": 40, "accuracy": 0.5, "low": 0.35, "high": 0.65},
    )  # fmt: skip
    return observation(windows=[window(6), newest], unlabeled_alarms=["labels"])


def test_what_a_corpus_wrote_is_text() -> None:
    html = page.render_page(alarming(), WORDS, DELAYS, PARAMS)
    assert ATTACK not in html
    assert "<b>sport" not in html
    assert "covid" in html


def test_an_alarm_of_errors_comes_before_one_of_signals() -> None:
    html = page.render_page(alarming(), WORDS, DELAYS, PARAMS)
    assert "It errs more than on the reference" in html
    assert "Traffic differs from the reference" not in html
    quiet = observation(cusum=cusum.run(np.zeros(40), 0.1, 0.07, 5.0), unlabeled_alarms=["labels"])
    assert "Traffic differs from the reference: labels" in page.render_page(quiet, None, DELAYS, PARAMS)


def test_estimates_without_labels_are_called_what_they_are() -> None:
    html = page.render_page(alarming(), None, [], PARAMS)
    assert "if only the mix of topics had changed" in html


@pytest.mark.parametrize(
    "empty", [{}, {"error": None, "cusum": cusum.CusumResult(np.zeros(40), float("inf"), None)},
              {"accuracy": None, "labels": 0, "hours": [], "cusum": cusum.run(np.array([]), 0.1, 0.07, 5.0)}],
)  # fmt: skip
def test_a_page_of_little_is_a_page(empty: dict[str, Any]) -> None:
    html = page.render_page(observation(**empty), None, [], PARAMS)
    assert "No window of 28 days is complete yet" in html
    assert "Infinity" not in html


def test_every_chart_has_its_place() -> None:
    specs = page.build_charts(alarming())
    assert specs.keys() == {"signals", "accuracy", "cusum", "shares"}
    html = page.render_page(alarming(), None, [], PARAMS)
    assert all(f'data-chart="{name}"' in html for name in specs)
