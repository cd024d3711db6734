"""The command line: what a person types, and the stages that `dvc.yaml` calls. A command imports what it needs."""

import importlib
import inspect
import pkgutil
from pathlib import Path
from typing import Any

import click

from gazette import __version__
from gazette.cli import corpus, model, pipeline, project, score
from gazette.errors import Misconfigured, parse


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

    def call(**given: Any) -> None:
        numbers = project.params()
        wanted = sections + ([name] if hasattr(module, "Params") else [])
        if missing := [section for section in wanted if section not in numbers]:
            raise Misconfigured(f"params.yaml has no section {', '.join(missing)}, which {name} reads")
        own = [parse(module.Params, numbers[name], f"params.yaml, section {name}")] if hasattr(module, "Params") else []
        module.run(*own, **{section: numbers[section] for section in sections}, **given)

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
    corpus.corpus,
    model.predict,
    pipeline.doctor,
    pipeline.plan,
    pipeline.report,
    pipeline.run,
    score.score,
):
    gazette.add_command(command)
