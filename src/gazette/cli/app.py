"""The command line: what a person types, and the stages that `dvc.yaml` calls. A command imports what it needs."""

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import click

from gazette import __version__
from gazette.cli import (
    ci,
    corpus,
    gate,
    lineage,
    pipeline,
    predict,
    pretrained,
    project,
    promotion,
    proof,
    registry,
    score,
    tune,
)
from gazette.core.errors import Misconfigured, parse


class Commands(click.Group):
    """The commands below; any other word is a stage, a module of `gazette.stages`."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: D102
        return super().get_command(ctx, cmd_name) or (stage(cmd_name) if cmd_name in stages() else None)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: D102
        with formatter.section("Stages, which dvc.yaml calls"):
            formatter.write_text(", ".join(sorted(stages())))
        super().format_epilog(ctx, formatter)


@click.group(
    cls=Commands, epilog="Exit codes: 0 fine, 1 rejected, 2 usage or configuration, 3 data contract broken, 70 a bug."
)
@click.version_option(__version__)
def gazette() -> None:
    """Labelled news goes in; a registered classifier comes out."""


def stages() -> set[str]:
    """The names of the stages."""
    from gazette import stages

    return {module.name for module in pkgutil.iter_modules(stages.__path__)}


def stage(name: str) -> click.Command:
    """A stage as a command: its paths and words are options, the rest comes from `params.yaml` by name."""
    module = importlib.import_module(f"gazette.stages.{name}")
    taken = inspect.signature(module.run, eval_str=True).parameters.values()
    options = [parameter for parameter in taken if parameter.annotation in (Path, str)]
    sections = [p.name for p in taken if p.name != "params" and p not in options]
    own = hasattr(module, "Params")

    def read() -> dict[str, Any]:
        numbers = project.params()
        if missing := [section for section in sections + ([name] if own else []) if section not in numbers]:
            raise Misconfigured(f"params.yaml has no section {', '.join(missing)}, which {name} reads")
        return numbers

    def call(**given: Any) -> None:
        from gazette.pipeline import input_guard

        if clear := getattr(module, "clear", None):
            known = read() | given
            clear(**{key: known[key] for key in inspect.signature(clear).parameters})
        with input_guard.held(name, {option: str(value) for option, value in given.items()}):
            numbers = read()
            params = [parse(module.Params, numbers[name], f"params.yaml, section {name}")] if own else []
            module.run(*params, **{section: numbers[section] for section in sections}, **given)

    return click.Command(
        name,
        callback=call,
        help=module.__doc__,
        params=[
            click.Option(
                ["--" + p.name.replace("_", "-")],
                required=True,
                type=click.Path(path_type=Path) if p.annotation is Path else str,
            )
            for p in options
        ],
    )


for command in (
    ci.ci,
    corpus.corpus,
    gate.gate,
    lineage.card,
    lineage.diff,
    lineage.lineage,
    predict.predict,
    pipeline.doctor,
    pipeline.plan,
    pipeline.report,
    pipeline.run,
    pretrained.pretrained,
    promotion.promote,
    promotion.rollback,
    registry.ledger,
    registry.pull,
    registry.registry,
    registry.versions,
    proof.attest,
    proof.reproduce,
    proof.verify,
    score.score,
    tune.tune,
):
    gazette.add_command(command)
