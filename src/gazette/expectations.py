"""The corpus contract: Great Expectations asks once, at the door, whether a corpus as a whole is fit to learn from.

It judges the corpus's profile, two small tables, so it costs the same for any number of articles.
"""

import json
from pathlib import Path
from string import Template
from typing import Any

import great_expectations as gx
import polars as pl
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.expectations import (
    ExpectColumnDistinctValuesToEqualSet,
    ExpectColumnMaxToBeBetween,
    ExpectColumnMinToBeBetween,
    ExpectColumnValuesToBeBetween,
)
from great_expectations.render.renderer.inline_renderer import InlineRenderer
from pydantic import BaseModel, Field

from gazette.profile import OVERLAPS

Share = Field(ge=0, le=1)


class Bounds(BaseModel, frozen=True, extra="forbid"):
    """What a corpus must be like; shares are between 0 and 1."""

    min_rows: int = Field(ge=1)
    min_rows_per_class: int = Field(ge=1)
    max_class_share: float = Share
    max_duplicates: float = Share
    max_conflicts: float = Share
    max_overlap: float = Share
    max_foreign: float = Share
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
    return [
        ExpectColumnMinToBeBetween(
            column="rows",
            min_value=bounds.min_rows,
            severity="critical",
            notes="Too few articles to learn and to judge from.",
        ),
        at_most("exact_duplicates_train", bounds.max_duplicates, copies, "critical"),
        at_most("near_duplicates", bounds.max_duplicates, copies.replace("Copies", "Near copies"), "warning"),
        *(at_most(f"exact_duplicates_{split}", 0, judged, "warning") for split in ("valid", "test")),
        at_most("conflicts", bounds.max_conflicts, conflicts, "critical"),
        at_most("conflicts", 0, conflicts, "warning"),
        *(
            at_most(f"overlap_{split}_{other}", share, seen, severity)
            for split, other in OVERLAPS
            for share, severity in ((bounds.max_overlap, "critical"), (0, "warning"))
        ),
        at_most("foreign", bounds.max_foreign, "Articles in another script than the corpus's language.", "warning"),
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


def judge(
    corpus: pl.DataFrame,
    classes: pl.DataFrame,
    read: pl.DataFrame,
    bounds: Bounds,
    labels: list[str],
    docs: Path,
) -> list[dict[str, Any]]:
    """The findings, a dict per expectation: table, expects, meaning, severity, success, observed.

    `corpus` and `classes` are the profile, `read` has the labels as they were read; Data Docs are written to `docs`.
    Raises RuntimeError where an expectation could not be asked (a column that is not there), which Great Expectations
    itself hides.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": str(docs.absolute())}
    context.add_data_docs_site(
        "docs",
        {
            "class_name": "SiteBuilder",
            "store_backend": store,
            "site_index_builder": {"class_name": "DefaultSiteIndexBuilder"},
        },
    )
    source = context.data_sources.add_pandas("profile")
    findings = []
    for name, table, expectations in (
        ("corpus", corpus, corpus_expectations(bounds)),
        ("classes", classes, class_expectations(bounds)),
        ("labels", read, label_expectations(labels)),
    ):
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
        suite = context.suites.add(gx.ExpectationSuite(name, expectations=expectations))
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
        checkpoint = context.checkpoints.add(
            gx.Checkpoint(
                name=name,
                validation_definitions=[definition],
                actions=[gx.checkpoint.UpdateDataDocsAction(name="docs", site_names=["docs"])],
            )
        )
        outcome = checkpoint.run(batch_parameters={"dataframe": table.to_pandas()})
        results = [result for run in outcome.run_results.values() for result in run.results]
        if len(results) != len(expectations):
            raise RuntimeError(f"{len(expectations)} expectations on {name}, {len(results)} answers")
        findings += [{"table": name, **_finding(result)} for result in results]
    return findings


def _finding(result: ExpectationValidationResult) -> dict[str, Any]:
    config = result.expectation_config
    if not result.result:
        raise RuntimeError(f"{config.type} on {config.kwargs} could not be asked: {result.exception_info}")
    return {
        "expects": _sentence(result),
        "meaning": config.notes,
        "severity": config.severity.value,
        "success": bool(result.success),
        "observed": _observed(result.to_json_dict()["result"]),
    }


def _sentence(result: ExpectationValidationResult) -> str:
    rendered = InlineRenderer(render_object=result.expectation_config).get_rendered_content()[0].value
    words = {
        name: f"{value:,g}" if isinstance(value := param["value"], float) else value
        for name, param in rendered.params.items()
    }
    return Template(rendered.template).safe_substitute(words)


def _observed(result: dict[str, Any]) -> str:
    if "observed_value" in result and result["observed_value"] is not None:
        return json.dumps(result["observed_value"], ensure_ascii=False)
    lists = {kind: sorted(found) for kind in ("unexpected", "missing") if (found := result.get(f"partial_{kind}_list"))}
    return json.dumps(lists or "as expected", ensure_ascii=False)
