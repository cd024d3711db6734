"""The command line: what a person types, and the stages that `dvc.yaml` calls. A command imports what it needs."""

import importlib
import inspect
import json
import pkgutil
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click

from gazette import __version__
from gazette.errors import BrokenContract, Misconfigured, parse


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
        numbers = params()
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


def params() -> dict[str, Any]:
    """The numbers of `params.yaml`, where the command was called."""
    from gazette import records

    return records.read_yaml(Path("params.yaml"))


@gazette.group()
def corpus() -> None:
    """The corpora described in data/corpora."""


@corpus.command("fetch")
@click.argument("name", required=False)
def corpus_fetch(name: str | None) -> None:
    """Bring the files of corpus NAME, or of the one in params.yaml, to data/raw/NAME, checked by their hash.

    Example: gazette corpus fetch bbc_news
    """
    from gazette import corpus, fetching

    name = name or str(params()["corpus"])
    described = corpus.describe(Path("data/corpora") / f"{name}.yaml")
    click.echo(fetching.fetch(described, Path("data/raw") / name))


@gazette.command()
@click.option("--unguarded", is_flag=True, hidden=True)  # what the guarded one starts
def run(unguarded: bool) -> None:
    """Bring every stage up to date (`dvc repro`), write the report, and show what came out.

    What an earlier run left behind when it was killed is put right first, as `gazette doctor` does.
    """
    numbers = params()
    if unguarded:
        return bring_up(numbers)
    from gazette import guard

    with guard.held(Path()) as deeds:
        for deed in deeds:
            click.echo(deed)
        code = guard.run([sys.executable, "-m", "gazette", "run", "--unguarded"], Path())
    sys.exit(code)


def bring_up(numbers: dict[str, Any]) -> None:
    """Brings every stage up to date in this process."""
    from gazette import graph, registration, report, summary, wiring

    paths = wiring.paths(numbers)
    if not registration.is_current(Path(paths["register"]["version"])):
        Path(paths["register"]["receipt"]).unlink(missing_ok=True)  # then `register` runs, for this registry
    outcome = graph.reproduce()
    if outcome.code == BrokenContract.code and Path(paths["validate"]["report"]).exists():
        outcome = replace(outcome, message=f"{outcome.message}\nThe report says more: {report.write(paths, numbers)}")
    if outcome.code:
        click.echo(outcome.message, err=True)
        sys.exit(outcome.code)
    summary.show(outcome.states, paths, report.write(paths, numbers), graph.changed_outputs())


@gazette.command()
@click.option("--verify", is_flag=True, help="Hash DVC's cache again; ends with 3 where an object is damaged.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object: healed, warnings, damaged.")
def doctor(verify: bool, as_json: bool) -> None:
    """Put right what a killed run left behind, say what was done, and warn of what lets damage through.

    \b
    Examples:
      gazette doctor
      gazette doctor --verify --json
    """
    from gazette import cache, guard

    with guard.held(Path()) as healed:
        warnings = cache.warnings(Path())
    damaged = cache.damaged(Path()) if verify else []
    if as_json:
        found = {"healed": healed, "warnings": warnings, "damaged": [asdict(damage) for damage in damaged]}
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
    else:
        lines = [*(healed or ["nothing to heal"]), *(f"warning: {warning}" for warning in warnings)]
        for damage in damaged:
            lines += [f"damaged: {damage.file}", *(f"  of {owner}" for owner in damage.belongs_to), f"  {damage.cure}"]
        click.echo("\n".join([*lines, *(["the cache is sound"] if verify and not damaged else [])]))
    if damaged:
        sys.exit(BrokenContract.code)


@gazette.command()
@click.argument("texts", nargs=-1)
@click.option(
    "--file",
    "source",
    type=click.Path(path_type=Path, allow_dash=True),
    help="CSV, TSV or JSON lines with a column `text`, or plain lines; - for standard input.",
)
@click.option("--bundle", type=click.Path(path_type=Path), help="Another bundle than the selected one.")
@click.option("--top", default=1, show_default=True, type=click.IntRange(1), help="How many labels to show.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per text.")
def predict(texts: tuple[str, ...], source: Path | None, bundle: Path | None, top: int, as_json: bool) -> None:
    """Label TEXTS with the selected classifier.

    \b
    Examples:
      gazette predict "Shares fell after the bank cut its forecast."
      gazette predict --file articles.csv --top 2 --json
      cat headlines.txt | gazette predict --file -
    """
    from gazette import wiring
    from gazette.bundle import Bundle

    given = list(texts)
    if source is not None:
        from gazette import incoming

        given += incoming.read(source)
    if not given:
        raise click.UsageError("no text: give TEXTS or --file")
    folder = bundle or Path(wiring.paths(params())["select"]["bundle"])
    if not folder.exists():
        raise Misconfigured(f"no bundle at {folder}: `gazette run` makes it")
    classifier = Bundle(folder)
    for text, row in zip(given, classifier.probabilities(given), strict=True):
        best = [(classifier.labels[place], float(row[place])) for place in (-row).argsort(kind="stable")[:top]]
        if as_json:
            click.echo(
                json.dumps(
                    {"text": text, "labels": [{"label": label, "probability": round(p, 6)} for label, p in best]},
                    ensure_ascii=False,
                )
            )
        else:
            click.echo("  ".join(f"{label} {p:.3f}" for label, p in best))


@gazette.command()
def report() -> None:
    """Write the report, one HTML page that stands alone, from what the stages left."""
    from gazette import report, wiring

    click.echo(report.write(wiring.paths(params()), params()))
