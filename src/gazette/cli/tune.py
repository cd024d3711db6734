"""The command that looks for better numbers."""

import json
import os
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gazette.core.errors import Misconfigured, parse

if TYPE_CHECKING:
    from gazette.training.tuning.study import Trial

PARAMS = Path("params.yaml")


@click.command()
@click.argument("candidate")
@click.option("--trials", default=20, show_default=True, type=click.IntRange(1, 1000), help="In all, resumed or not.")
@click.option("--minutes", type=click.FloatRange(0), help="No trial begins after that.")
@click.option("--write", is_flag=True, help="Make the change in params.yaml.")
@click.option("--json", "as_json", is_flag=True, help="Trials, best numbers and change as one JSON object.")
def tune(candidate: str, trials: int, minutes: float | None, write: bool, as_json: bool) -> None:
    """Try other numbers for CANDIDATE within the ranges of `tune.CANDIDATE` in params.yaml.

    A trial learns as `train` does and is judged by macro-F1 on the valid rows; the current numbers are one of them.
    Killed or interrupted and called again, it goes on. Ends with the best numbers as a change of params.yaml; once that
    is made, `gazette run` makes exactly that model.

    \b
    Examples:
      gazette tune cnn --trials 30 --minutes 20
      gazette tune cnn --trials 30 --write
    """
    from gazette.core import files
    from gazette.pipeline import state
    from gazette.pipeline.recovery import filelock
    from gazette.training.tuning import objective, search_space

    until = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    numbers = files.read_yaml(PARAMS)
    model, section = (_section(numbers, kind, candidate) for kind in ("models", "tune"))
    found = search_space.read(section, model, candidate)
    current = {key: search_space.value(model, key, candidate) for key in found}
    shared = parse(objective.Shared, numbers["train"], "params.yaml, section train")
    wired = _wired(numbers, candidate)
    judge = objective.Trying(candidate, model, shared, wired)
    name = f"{candidate}-{objective.digest(model, section, shared, wired)}"
    folder = state.folder(Path()) / "tuning"
    folder.mkdir(exist_ok=True)
    with filelock.held(folder / f"{candidate}.lock", f"{candidate} is being tuned") as lock:
        lock.truncate(0)
        lock.write(f"process {os.getpid()}, {' '.join(sys.argv)}\n")
        lock.flush()
        click.echo(f"study {name}", err=True)
        judge.check(found)

        from gazette.registry import trials as runs
        from gazette.training.tuning import study  # MLflow, ten seconds that wrong ranges need not wait for

        tried = study.opened(folder / f"{candidate}.db", name)
        logged = runs.Runs(numbers["corpus"], candidate, name)
        interrupted = False
        try:
            for trial in study.search(tried, found, current, judge, trials=trials, seed=shared.seed, until=until):
                click.echo(_line(trial), err=True)
                logged.log(study.finished(tried))
        except KeyboardInterrupt:
            interrupted = True
        done = study.finished(tried)
        if not any(trial.figures for trial in done):
            raise click.Abort
        logged.log(done)
        best = study.best(done, current)
        logged.end(best)
    now = next((trial for trial in done if trial.values == current), None)
    _end(candidate, done, best, now, write=write and not interrupted, as_json=as_json, model=model)
    if interrupted:
        click.echo(f"interrupted; `gazette tune {candidate} --trials {trials}` goes on", err=True)
        raise click.Abort


def _section(numbers: dict[str, Any], kind: str, candidate: str) -> Any:
    sections = numbers.get(kind) or {}
    if candidate not in sections:
        there = ", ".join(sorted(sections)) or "nothing"
        raise Misconfigured(f"params.yaml has no section {kind}.{candidate}; under {kind} it has {there}")
    return sections[candidate]


def _wired(numbers: dict[str, Any], candidate: str) -> dict[str, Path]:
    """Where `train` finds what it reads, whether or not the candidate is listed."""
    from gazette.pipeline import cmdline

    options = cmdline.paths(numbers | {"candidates": [candidate]})[f"train@{candidate}"]
    return {name: Path(options[name]) for name in ("description", "train", "valid")}


def _line(trial: "Trial") -> str:
    values = ", ".join(f"{key} {value}" for key, value in trial.values.items())
    came_to = f"macro-F1 {trial.figures['macro_f1']:.4f}" if trial.figures else f"given up: {trial.why}"
    return f"trial {trial.number}: {came_to}, {trial.seconds:.0f} s ({values})"


def _end(
    candidate: str,
    done: list["Trial"],
    best: "Trial",
    now: "Trial | None",
    *,
    write: bool,
    as_json: bool,
    model: dict[str, Any],
) -> None:
    from gazette.core import atomic, files
    from gazette.training.tuning import params_patch

    if files.read_yaml(PARAMS)["models"].get(candidate) != model:
        raise Misconfigured(f"models.{candidate} was edited while it was tuned: {_line(best)}. Call the command again")
    before = PARAMS.read_bytes().decode()  # line ends as they are
    new = {key: value for key, value in best.values.items() if now is None or value != now.values[key]}
    after = params_patch.made(before, ("models", candidate), new)
    if write and new:
        atomic.write(after, PARAMS)
    if as_json:
        told = [trial._asdict() | {"curve": len(trial.curve)} for trial in done]
        click.echo(
            json.dumps({"trials": told, "best": best.number, "change": new, "written": write and bool(new)}, indent=2)
        )
        return
    error = best.figures["standard_error"]
    was = f", now {now.score:.4f}" if now else ""
    click.echo(f"best of {len(done)}: trial {best.number}, macro-F1 {best.score:.4f} ± {error:.4f} on valid rows{was}")
    if not new:
        click.echo("params.yaml has the best numbers; there is nothing to change")
        return
    click.echo(params_patch.diff(before, after), nl=False)
    click.echo("written; `gazette run` makes this model" if write else "--write makes this change")
