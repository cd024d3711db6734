"""The rules of the gate: section `gate` of params.yaml."""

from pydantic import BaseModel, Field, field_validator

CLOCK = "milliseconds"
NEWEST = "newest window"
LOOKS = "looks"
INVARIANCE = "unchanged by "  # prefix of the invariance rules, before the perturbation's name
PERTURBATIONS = ("agency", "case", "form", "names", "punctuation", "typos", "width")
MAY_WARN = [
    "accuracy", "macro_f1", "worst_recall", "ece", "megabytes", CLOCK, "non-inferiority", "slices", NEWEST,
    "minimum function", "direction", *(INVARIANCE + name for name in PERTURBATIONS),
]  # fmt: skip


class Floors(BaseModel, frozen=True, extra="forbid", strict=True):
    """Absolute bounds that a classifier must meet, whatever the baseline."""

    accuracy: float = Field(ge=0, le=1)
    macro_f1: float = Field(ge=0, le=1)
    worst_recall: float = Field(ge=0, le=1)
    ece: float = Field(ge=0, le=1)
    megabytes: float = Field(gt=0)
    milliseconds: float = Field(gt=0)


class Rules(BaseModel, frozen=True, extra="forbid", strict=True):
    """Levels, margins and floors; `warn_only` names the rules that warn but do not block."""

    alpha: float = Field(gt=0, lt=0.5)
    power: float = Field(gt=0.5, lt=1)
    margin: float = Field(gt=0, lt=1)
    looks: int | None = Field(None, ge=1, le=1000)
    resamples: int = Field(ge=100)
    seed: int = Field(ge=0)
    slice_margin: float = Field(gt=0, lt=1)
    min_slice_rows: int = Field(ge=1)
    newest_days: int = Field(91, ge=1)
    newest_margin: float = Field(0.05, gt=0, lt=1)
    invariance_rows: int = Field(ge=1)
    min_invariance: float = Field(ge=0, le=1)
    floors: Floors
    warn_only: list[str]

    @field_validator("warn_only")
    @classmethod
    def _check_warn_only(cls, rules: list[str]) -> list[str]:
        if CLOCK not in rules:
            raise ValueError(f"{CLOCK} is missing: timing depends on the machine as much as on the bundle; list it")
        if unknown := [rule for rule in rules if rule not in MAY_WARN]:
            raise ValueError(f"{', '.join(unknown)}: not a rule that may warn; choose from {', '.join(MAY_WARN)}")
        return rules
