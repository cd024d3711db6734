"""The corpus contract: what is expected of a corpus as a whole before anything is learned from it.

Every expectation is of the corpus's profile, a few small tables, so it costs the same for any number of articles.
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
FOREIGN = {
    "foreign_script": "Articles in another script than the corpus's language.",
    "foreign_language": "Articles in another language than the corpus's.",
    "minority_variant": "Articles in traditional characters among simplified ones, or the reverse.",
}
DAMAGED = {
    "mojibake": "Texts decoded with a wrong table on their way: export them again, as UTF-8.",
    "replacement_character": "Texts with lost characters (U+FFFD): the damage was done before they came here.",
    "markup": "HTML tags or entities in the text: export the text alone.",
    "control_characters": "Characters that no reader sees; the normalizer takes them out.",
}


class Bounds(BaseModel, frozen=True, extra="forbid"):
    """What a corpus must be like; shares are between 0 and 1."""

    min_rows: int = Field(ge=1)
    min_rows_per_class: int = Field(ge=1)
    max_class_share: float = Share
    max_duplicates: float = Share
    max_conflicts: float = Share
    max_overlap: float = Share
    max_foreign: float = Share
    max_damaged: float = Share
    max_class_distance: float = Share
    max_length_distance: float = Share
    max_vocabulary_distance: float = Share
    min_median_characters: int = Field(ge=1)
    max_median_characters: int = Field(ge=1)


def corpus_expectations(bounds: Bounds) -> list[gx.expectations.Expectation]:
    """What is expected of the one row about the whole corpus, each with what a breach means."""

    def at_most(column: str, share: float, meaning: str, severity: str) -> gx.expectations.Expectation:
        return ExpectColumnMaxToBeBetween(column=column, max_value=share, notes=meaning, severity=severity)

    copies = "Copies in train teach one article twice; preprocess drops them. So many: were files joined twice?"
    judged = (
        "Copies among the articles that judge count twice. They stay: the published split is as its authors made it."
    )
    conflicts = "The same text under two labels is a contradiction; what of it stands in train goes to quarantine."
    seen = "A model has seen what it is judged on; such rows leave train, those of published splits stay."
    nearly = "A model has nearly seen what it is judged on: its figures flatter it. These rows stay."
    return [
        ExpectColumnMinToBeBetween(
            column="rows",
            min_value=bounds.min_rows,
            severity="critical",
            notes="Too few articles to learn and to judge from.",
        ),
        at_most("exact_duplicates_train", bounds.max_duplicates, copies, "critical"),
        at_most("near_duplicates_train", bounds.max_duplicates, "Nearly one article, many times; all stay.", "warning"),
        *(at_most(f"exact_duplicates_{split}", 0, judged, "warning") for split in ("valid", "test")),
        at_most("exact_conflicts", bounds.max_conflicts, conflicts, "critical"),
        at_most("exact_conflicts", 0, conflicts, "warning"),
        at_most(
            "near_conflicts", bounds.max_conflicts, "Nearly the same text under two labels: one is wrong.", "warning"
        ),
        *(
            at_most(f"exact_overlap_{split}_{other}", share, seen, severity)
            for split, other in OVERLAPS
            for share, severity in ((bounds.max_overlap, "critical"), (0, "warning"))
        ),
        *(at_most(f"near_overlap_{split}_{other}", bounds.max_overlap, nearly, "warning") for split, other in OVERLAPS),
        *(at_most(flag, bounds.max_foreign, meaning, "warning") for flag, meaning in FOREIGN.items()),
        *(at_most(flag, bounds.max_damaged, meaning, "warning") for flag, meaning in DAMAGED.items()),
        at_most("giveaways", 0, "Phrases that name the class: a model learns the agency, not the news.", "warning"),
        at_most("personal_data", 0, "E-mail addresses, telephone or identity numbers; see `personal_data`.", "warning"),
        ExpectColumnValuesToBeBetween(
            column="characters_50",
            min_value=bounds.min_median_characters,
            max_value=bounds.max_median_characters,
            severity="warning",
            notes="Half of the articles are shorter. Far outside, a wrong column was read as the text.",
        ),
    ]


def label_expectations(labels: list[str]) -> list[gx.expectations.Expectation]:
    """What is expected of the labels as they were read."""
    return [
        ExpectColumnDistinctValuesToEqualSet(
            column="label",
            value_set=labels,
            severity="warning",
            notes="The files name other classes than the description; rows of classes that it lacks are in quarantine.",
        )
    ]


def drift_expectations(bounds: Bounds) -> list[gx.expectations.Expectation]:
    """What is expected of each published valid and test split beside train."""
    meanings = {
        "classes": (bounds.max_class_distance, "Other shares of the classes than in train (Jensen–Shannon distance)."),
        "lengths": (
            bounds.max_length_distance,
            "Longer or shorter texts than in train (Kolmogorov–Smirnov statistic).",
        ),
        "vocabulary": (bounds.max_vocabulary_distance, "Other words than in train."),
    }
    return [
        ExpectColumnMaxToBeBetween(column=column, max_value=bound, severity="warning", notes=meaning)
        for column, (bound, meaning) in meanings.items()
    ]


def class_expectations(bounds: Bounds) -> list[gx.expectations.Expectation]:
    """What is expected of each class in each split."""
    return [
        ExpectColumnMinToBeBetween(
            column="rows",
            min_value=bounds.min_rows_per_class,
            severity="critical",
            notes="A class with so few articles in a split can be neither learned nor judged.",
        ),
        ExpectColumnMaxToBeBetween(
            column="share",
            max_value=bounds.max_class_share,
            severity="warning",
            notes="One class outweighs the others: accuracy flatters a model that always says its name.",
        ),
    ]
