"""Section `validate` of params.yaml."""

from typing import Literal

from pydantic import BaseModel, Field

Share = Field(ge=0, le=1)


class Bounds(BaseModel, frozen=True, extra="forbid"):
    """Bounds of the contract; shares are between 0 and 1."""

    min_rows: int = Field(ge=1)
    min_rows_per_class: int = Field(ge=1)
    max_class_share: float = Share
    max_duplicates: float = Share
    max_conflicts: float = Share
    max_overlap: float = Share
    max_other_language: float = Share
    max_corrupted: float = Share
    max_class_distance: float = Share
    max_length_distance: float = Share
    max_vocabulary_distance: float = Share
    max_missing_dates: float = Share
    min_median_characters: int = Field(ge=1)
    max_median_characters: int = Field(ge=1)


class Params(Bounds, frozen=True, extra="forbid"):
    """Bounds of the corpus contract, and settings of the inspection."""

    max_quarantined: float = Share
    near_duplicate_similarity: float = Field(ge=0.7, le=1)  # below, short near duplicates are missed
    leakage_min_share: float = Field(gt=0, le=1)
    leakage_purity: float = Field(gt=0, le=1)
    personal_data: Literal["keep", "mask", "quarantine"]
