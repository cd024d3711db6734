"""The command line: commands for people, and the stages that `dvc.yaml` calls. A command imports what it needs."""

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any

import click
from prefect_dvc.core.errors import ConfigError, parse

from gazette import __version__
from gazette.cli import (
    ci,
    corpus,
    erasure,
    explain,
    gate,
    journal,
    lineage,
    monitor,
    pipeline,
    predict,
    pretrained,
    project,
    promotion,
    proof,
    registry,
    retention,
    score,
    serve,
    tune,
)
from gazette.cli.options import PATH, Group


class Commands(Group):
    """The commands, and as a fallback the stages: the modules of `gazette.stages`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command or a stage, or None if there is none of this name."""
        return super().get_command(ctx, cmd_name) or (stage(cmd_name) if cmd_name in stages() else None)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the names of the stages, then the exit codes."""
        with formatter.section("Stages, called by dvc.yaml"):
            formatter.write_text(", ".join(sorted(stages())))
        super().format_epilog(ctx, formatter)


@click.group(
    cls=Commands, epilog="Exit codes: 0 fine, 1 rejected, 2 usage or configuration, 3 data contract broken, 70 a bug."
)
@click.version_option(__version__)
def gazette() -> None:
    """Labeled news goes in; a registered classifier comes out."""


def stages() -> set[str]:
    """Return the names of the stages."""
    from gazette import stages

    return {module.name for module in pkgutil.iter_modules(stages.__path__)}


def stage_parameters(run: Callable[..., None]) -> tuple[dict[str, Any], dict[str, Any], list[str]]:
    """Return the options of a stage's `run` with their types, its dataclasses of options, and its sections of params.

    A parameter that is a path or a word is an option, one that is a dataclass is an option per field, and any other but
    `params` is a section of `params.yaml`.
    """
    kinds = {name: parameter.annotation for name, parameter in inspect.signature(run, eval_str=True).parameters.items()}
    groups = {name: kind for name, kind in kinds.items() if is_dataclass(kind)}
    options = {name: kind for name, kind in kinds.items() if kind in (Path, str)}
    options |= {field.name: field.type for group in groups.values() for field in fields(group)}
    return options, groups, [name for name in kinds if name not in ("params", *options, *groups)]


def stage(name: str) -> click.Command:
    """Return a stage as a command: its paths and words are options, the rest comes from `params.yaml` by name."""
    module = importlib.import_module(f"gazette.stages.{name}")
    options, groups, sections = stage_parameters(module.run)
    own = hasattr(module, "Params")

    def read() -> dict[str, Any]:
        numbers = project.params()
        if missing := [section for section in sections + ([name] if own else []) if section not in numbers]:
            raise ConfigError(f"params.yaml has no section {', '.join(missing)}, which {name} reads")
        return numbers

    def call(**values: Any) -> None:
        from gazette.pipeline import input_guard

        if hasattr(module, "leftovers") and (paths := module.leftovers(read(), **values)):
            from gazette.pipeline import recorded  # DVC, which takes a second to import

            recorded.remove_leftovers(paths, name)
        with input_guard.inputs_unchanged(name, {option: str(value) for option, value in values.items()}):
            numbers = read()
            params = [parse(module.Params, numbers[name], f"params.yaml, section {name}")] if own else []
            for parameter, group in groups.items():
                values[parameter] = group(**{field.name: values.pop(field.name) for field in fields(group)})
            module.run(*params, **{section: numbers[section] for section in sections}, **values)

    paths_and_words: list[click.Parameter] = [
        click.Option(["--" + option.replace("_", "-")], required=True, type=PATH if kind is Path else str)
        for option, kind in options.items()
    ]
    return click.Command(name, callback=call, params=paths_and_words, help=module.__doc__)


gazette.add_under("Data", corpus.corpus, pretrained.pretrained)
gazette.add_under("Run", pipeline.plan, pipeline.run, pipeline.report, tune.tune, pipeline.doctor, pipeline.clean)
gazette.add_under("Judge", gate.gate, lineage.diff, ci.ci)
gazette.add_under(
    "Release", registry.versions, promotion.promote, promotion.rollback, registry.ledger, registry.registry
)
gazette.add_under("Release", registry.pull, predict.predict, explain.explain, score.score, serve.serve)
gazette.add_under("Watch", journal.journal, monitor.monitor)
gazette.add_under("Maintain", erasure.erase, retention.gc)
gazette.add_under("Prove", lineage.lineage, lineage.card, proof.reproduce, proof.verify, proof.attest)
