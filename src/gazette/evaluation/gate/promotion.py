"""Promotion by the gate and the smoke test of params.yaml."""

from collections.abc import Callable
from pathlib import Path

from prefect_dvc.core.errors import ConfigError, parse

from gazette.evaluation.gate import judge
from gazette.pipeline import cmdline
from gazette.registry import promotion, smoke_test
from gazette.registry.promotion import Decision, Judge, PromotionResult
from gazette.registry.verdict import Finding, Verdict
from gazette.registry.versions import ResolvedModel


def judge_here(folder: Path) -> Verdict:
    """Judge the bundle in a folder on this revision's test rows, against the champion."""
    return judge.judge(bundle=folder)


def promote(
    version: str, decision: Decision, say: Callable[[str], object], judge_bundle: Judge = judge_here
) -> PromotionResult:
    """Make a version of the corpus of params.yaml champion; `say` is called with what takes its time.

    Raises RejectedError if it is not promoted, ConfigError if there is no such version or params.yaml lacks a section.
    """
    params = cmdline.read_params()
    if "smoke_test" not in params:
        raise ConfigError("params.yaml has no section smoke_test, which sets the sample and budget of the smoke test")
    budget = parse(smoke_test.Params, params["smoke_test"], "params.yaml, section smoke_test")

    def run_smoke_test(model: ResolvedModel, revision: str) -> list[Finding]:
        say(f"{model.reference}: loading it in an isolated process")
        recorded = smoke_test.read_recorded(revision, budget.articles)
        return smoke_test.run_smoke_test(budget, model, recorded)

    return promotion.promote(params["corpus"], version, decision, judge_bundle, run_smoke_test)
