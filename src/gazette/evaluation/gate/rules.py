"""The numbers of the gate: section `gate` of params.yaml."""

from pydantic import BaseModel, ConfigDict, Field, field_validator

CLOCK = "milliseconds"
BEFORE = "unchanged by "  # of the rules of invariance, by the change
CHANGES = ("agency", "case", "form", "names", "punctuation", "typos", "width")
MAY_WARN = [
    "accuracy", "macro_f1", "worst_recall", "ece", "megabytes", CLOCK, "non-inferiority", "slices", "minimum function",
    "direction", *(BEFORE + change for change in CHANGES),
]  # fmt: skip


class Floors(BaseModel):
    """What a classifier must reach whatever it is compared with."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    accuracy: float = Field(ge=0, le=1)
    macro_f1: float = Field(ge=0, le=1)
    worst_recall: float = Field(ge=0, le=1)
    ece: float = Field(ge=0, le=1)
    megabytes: float = Field(gt=0)
    milliseconds: float = Field(gt=0)


class Rules(BaseModel):
    """Levels, margins and floors; `warn` names the rules that warn and do not block."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    level: float = Field(gt=0, lt=0.5)
    power: float = Field(gt=0.5, lt=1)
    margin: float = Field(gt=0, lt=1)
    resamples: int = Field(ge=100)
    seed: int = Field(ge=0)
    slice_margin: float = Field(gt=0, lt=1)
    min_slice_rows: int = Field(ge=1)
    behaviour_rows: int = Field(ge=1)
    min_unchanged: float = Field(ge=0, le=1)
    floors: Floors
    warn: list[str]

    @field_validator("warn")
    @classmethod
    def _warns_of_what_may_warn(cls, warn: list[str]) -> list[str]:
        if CLOCK not in warn:
            raise ValueError(
                f"{CLOCK} is missing: a clock says as much of the machine as of the bundle, and only warns"
            )
        if unknown := [rule for rule in warn if rule not in MAY_WARN]:
            raise ValueError(f"{', '.join(unknown)}: no rule that may warn; there are {', '.join(MAY_WARN)}")
        return warn
