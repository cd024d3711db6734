"""The corpus contract: expectations of a corpus as a whole, checked before training.

They are checked on the profile, a few small tables, so they cost the same for any number of articles.
"""

import great_expectations as gx
from great_expectations.expectations import (
    ExpectColumnDistinctValuesToEqualSet,
    ExpectColumnMaxToBeBetween,
    ExpectColumnMinToBeBetween,
    ExpectColumnValuesToBeBetween,
)
from pydantic import BaseModel, Field

from gazette.data.validation.profile import OVERLAPS

Share = Field(ge=0, le=1)
OTHER_LANGUAGE = {
    "foreign_script": "Articles in a script that the corpus's language does not use.",
    "foreign_language": "Articles in a language that is not the corpus's.",
    "minority_variant": "Articles in traditional characters in a simplified corpus, or the reverse.",
}
CORRUPTED = {
    "mojibake": "Texts decoded with the wrong encoding: export them again, as UTF-8.",
    "replacement_character": "Texts with lost characters (U+FFFD): they were damaged before this export.",
    "markup": "HTML tags or entities in the text: export plain text.",
    "control_characters": "Invisible characters; the normalizer removes them.",
}


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
    min_median_characters: int = Field(ge=1)
    max_median_characters: int = Field(ge=1)


def corpus_expectations(bounds: Bounds) -> list[gx.expectations.Expectation]:
    """Return the expectations of the row about the whole corpus, each with the meaning of a breach."""

    def at_most(column: str, share: float, meaning: str, severity: str) -> gx.expectations.Expectation:
        return ExpectColumnMaxToBeBetween(column=column, max_value=share, notes=meaning, severity=severity)

    copies = "Exact duplicates in train; preprocess drops them. If there are many: were files concatenated twice?"
    scored = "Exact duplicates in a published split count twice. They stay: the split is kept as published."
    conflicts = "The same text has two labels; rows in train go to quarantine."
    leaked = "A model would be evaluated on rows that it was trained on; train loses them, published splits keep them."
    nearly = "A model would be evaluated on near duplicates of training rows, which inflates its scores. They stay."
    return [
        ExpectColumnMinToBeBetween(
            column="rows",
            min_value=bounds.min_rows,
            severity="critical",
            notes="Too few articles for training and evaluation.",
        ),
        at_most("exact_duplicates_train", bounds.max_duplicates, copies, "critical"),
        at_most("near_duplicates_train", bounds.max_duplicates, "Near duplicates in train; all stay.", "warning"),
        *(at_most(f"exact_duplicates_{split}", 0, scored, "warning") for split in ("valid", "test")),
        at_most("exact_conflicts", bounds.max_conflicts, conflicts, "critical"),
        at_most("exact_conflicts", 0, conflicts, "warning"),
        at_most(
            "near_conflicts", bounds.max_conflicts, "Near duplicates with two labels: one of them is wrong.", "warning"
        ),
        *(
            at_most(f"exact_overlap_{first}_{second}", share, leaked, severity)
            for first, second in OVERLAPS
            for share, severity in ((bounds.max_overlap, "critical"), (0, "warning"))
        ),
        *(
            at_most(f"near_overlap_{first}_{second}", bounds.max_overlap, nearly, "warning")
            for first, second in OVERLAPS
        ),
        *(at_most(flag, bounds.max_other_language, meaning, "warning") for flag, meaning in OTHER_LANGUAGE.items()),
        *(at_most(flag, bounds.max_corrupted, meaning, "warning") for flag, meaning in CORRUPTED.items()),
        at_most("giveaways", 0, "Phrases that predict the class: a model learns the agency, not the news.", "warning"),
        at_most("personal_data", 0, "E-mail addresses, phone or identity numbers; see `personal_data`.", "warning"),
        ExpectColumnValuesToBeBetween(
            column="characters_50",
            min_value=bounds.min_median_characters,
            max_value=bounds.max_median_characters,
            severity="warning",
            notes="Half of the articles are shorter. Far outside the bounds, the wrong column was read as the text.",
        ),
    ]


def label_expectations(labels: list[str]) -> list[gx.expectations.Expectation]:
    """Return the expectations of the labels as read."""
    return [
        ExpectColumnDistinctValuesToEqualSet(
            column="label",
            value_set=labels,
            severity="warning",
            notes="Classes in the files and in the description differ; rows of undeclared classes are in quarantine.",
        )
    ]


def drift_expectations(bounds: Bounds) -> list[gx.expectations.Expectation]:
    """Return the expectations of published valid and test splits against train."""
    meanings = {
        "classes": (
            bounds.max_class_distance,
            "The class shares differ from those of train (Jensen–Shannon distance).",
        ),
        "lengths": (
            bounds.max_length_distance,
            "The texts are longer or shorter than in train (Kolmogorov–Smirnov statistic).",
        ),
        "vocabulary": (bounds.max_vocabulary_distance, "The words differ from those of train."),
    }
    return [
        ExpectColumnMaxToBeBetween(column=column, max_value=bound, severity="warning", notes=meaning)
        for column, (bound, meaning) in meanings.items()
    ]


def class_expectations(bounds: Bounds) -> list[gx.expectations.Expectation]:
    """Return the expectations of each class in each split."""
    return [
        ExpectColumnMinToBeBetween(
            column="rows",
            min_value=bounds.min_rows_per_class,
            severity="critical",
            notes="A class with too few articles in a split can be neither trained nor evaluated.",
        ),
        ExpectColumnMaxToBeBetween(
            column="share",
            max_value=bounds.max_class_share,
            severity="warning",
            notes="One class dominates: accuracy is high for a model that always predicts it.",
        ),
    ]
