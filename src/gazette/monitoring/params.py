"""Section `monitor` of params.yaml."""

from pydantic import Field

from gazette.serving.journal import params as journal_params


class Params(journal_params.Params, frozen=True, extra="forbid"):
    """What is kept of traffic, how long a window is, how often alarms may be false, and how many labels are asked."""

    window_days: int = Field(ge=1, le=366)
    unlabeled_alarms_a_year: float = Field(gt=0, le=12)
    min_change: float = Field(gt=0, lt=1)
    resamples: int = Field(ge=200, le=100_000)
    seed: int = Field(ge=0)
    loss: float = Field(ge=0.01, le=0.5)
    labeled_alarms_a_year: float = Field(gt=0, le=12)
    error_correlation: float = Field(ge=0, le=0.5)
    labels_a_week: int = Field(ge=1)
    disagreement: float = Field(ge=0, lt=1)
    confidence: float = Field(gt=0.5, lt=1)
