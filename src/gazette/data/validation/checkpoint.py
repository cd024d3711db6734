"""The corpus contract checked with Great Expectations.

Checked is the profile, a few small tables, so it costs the same for any number of articles.
"""

import functools
import json
from pathlib import Path
from string import Template
from typing import Any

import great_expectations as gx
import polars as pl
from great_expectations.core.expectation_validation_result import ExpectationValidationResult
from great_expectations.render.renderer.inline_renderer import InlineRenderer
from great_expectations.render.renderer_configuration import RendererConfiguration
from great_expectations.render.view import view
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from prefect_dvc.core.escape import escape

from gazette.data.validation.bounds import Bounds
from gazette.data.validation.checks import CHECKS, WARNING, Check


class _Templates(BytecodeCache):
    """The compiled templates of Data Docs, which Great Expectations compiles again for each page (0.4 s of 1)."""

    def __init__(self) -> None:
        self.compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        if bucket.key in self.compiled:
            bucket.bytecode_from_string(self.compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        self.compiled[bucket.key] = bucket.bytecode_to_string()


view.Environment = functools.partial(view.Environment, bytecode_cache=_Templates())
# The model of a parameter depends on its name alone; without the cache one is built for each value of each expectation.
RendererConfiguration._get_renderer_value_base_model_type = staticmethod(
    functools.cache(RendererConfiguration._get_renderer_value_base_model_type)
)


class ExpectColumnLabelsToEqualSet(gx.expectations.ExpectColumnDistinctValuesToEqualSet):
    """Expect the labels as read to be those of the description; the result has the share that Data Docs write."""

    def _validate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        outcome: dict[str, Any] = super()._validate(*args, **kwargs)
        result, unexpected = outcome["result"], outcome["result"]["unexpected_count"]
        result["element_count"] = len(self.value_set) - result["missing_count"] + unexpected
        result["unexpected_percent"] = 100 * unexpected / max(1, result["element_count"])
        return outcome


def run_checkpoint(
    corpus: pl.DataFrame,
    classes: pl.DataFrame,
    read: pl.DataFrame,
    drift: pl.DataFrame,
    bounds: Bounds,
    labels: list[str],
    docs: Path,
) -> list[dict[str, Any]]:
    """Write Data Docs to `docs`; return per expectation table, expects, meaning, severity, success, observed.

    `corpus` and `classes` are the profile, `read` has the labels as read, `drift` a row per published valid and test
    split. Raises RuntimeError if an expectation could not be evaluated (a missing column), which Great Expectations
    hides.
    """
    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = {"globally": False}
    folder = str(docs.absolute()).replace("$", r"\$")  # which is the value of a variable otherwise
    store = {"class_name": "TupleFilesystemStoreBackend", "base_directory": folder}
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
    tables = {"corpus": corpus, "classes": classes, "labels": read, **({"drift": drift} if drift.height else {})}
    for name, table in tables.items():
        checks = {column: check for column, check in CHECKS[name].items() if not check.is_optional or column in table}
        expectations = build_expectations(checks, bounds, labels)
        batch = source.add_dataframe_asset(name).add_batch_definition_whole_dataframe(name)
        suite = context.suites.add(gx.ExpectationSuite(name, expectations=expectations))
        definition = context.validation_definitions.add(gx.ValidationDefinition(name=name, data=batch, suite=suite))
        checkpoint = context.checkpoints.add(gx.Checkpoint(name=name, validation_definitions=[definition]))
        outcome = checkpoint.run(batch_parameters={"dataframe": table.to_pandas()})
        results = [result for run in outcome.run_results.values() for result in run.results]
        if len(results) != len(expectations):
            raise RuntimeError(f"{len(expectations)} expectations on {name}, {len(results)} results")
        findings += [{"table": name, **_finding(result)} for result in results]
    context.build_data_docs()  # once, not for each table
    return findings


def build_expectations(
    checks: dict[str, Check], bounds: Bounds, labels: list[str]
) -> list[gx.expectations.Expectation]:
    """Return the expectations on a table of the profile, in the order of its checks, which are by column."""
    expectations = []
    for column, check in checks.items():
        expectations.append(_expectation(column, check, bounds, labels))
        if check.warns_of_any:
            expectations.append(_expectation(column, check._replace(bound="", severity=WARNING), bounds, labels))
    return expectations


def _expectation(column: str, check: Check, bounds: Bounds, labels: list[str]) -> gx.expectations.Expectation:
    about = {"column": column, "notes": check.meaning, "severity": check.severity}
    bound = getattr(bounds, check.bound) if check.bound else 0
    if column == "label":
        return ExpectColumnLabelsToEqualSet(value_set=labels, **about)
    if column == "characters_50":
        return gx.expectations.ExpectColumnValuesToBeBetween(
            min_value=bound, max_value=bounds.max_median_characters, **about
        )
    if check.bound.startswith("min_"):
        return gx.expectations.ExpectColumnMinToBeBetween(min_value=bound, **about)
    return gx.expectations.ExpectColumnMaxToBeBetween(max_value=bound, **about)


def _finding(result: ExpectationValidationResult) -> dict[str, Any]:
    config = result.expectation_config
    if not result.result:
        raise RuntimeError(f"{config.type} on {config.kwargs} could not be evaluated: {result.exception_info}")
    return {
        "expects": _sentence(result),
        "meaning": config.notes,
        "severity": config.severity.value,
        "success": bool(result.success),
        "observed": _observed(result.to_json_dict()["result"], bool(result.success)),
    }


def _sentence(result: ExpectationValidationResult) -> str:
    rendered = InlineRenderer(render_object=result.expectation_config).get_rendered_content()[0].value
    words = {
        name: f"{value:,g}" if isinstance(value := param["value"], float) else escape(str(value))
        for name, param in rendered.params.items()
    }
    return Template(rendered.template).safe_substitute(words)


def _observed(result: dict[str, Any], success: bool) -> str:
    value = result.get("observed_value")
    if isinstance(value, list):  # labels as read, which may be whole articles
        return json.dumps(f"{len(value):,} different")
    if value is not None:
        return json.dumps(value)
    unexpected = result.get("partial_unexpected_list")
    return json.dumps(
        {"unexpected": sorted(unexpected)} if unexpected else "as expected" if success else "not all of them"
    )
