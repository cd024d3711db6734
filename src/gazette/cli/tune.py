"""The command that searches for better hyperparameters."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from prefect_dvc.core.errors import ConfigError, parse

from gazette.cli import options, project, streams

if TYPE_CHECKING:
    from gazette.training.tuning.study import Trial

PARAMS = Path("params.yaml")


@click.command()
@click.argument("candidate")
@click.option("--trials", default=20, show_default=True, type=click.IntRange(1, 1000),
              help="How many trials in all, earlier ones included.")  # fmt: skip
@click.option("--minutes", type=click.FloatRange(0), help="Start no trial after this time.")
@click.option("--write", is_flag=True, help="Write the best values to params.yaml.")
@options.as_json("Print the trials, the best one and the change as one JSON object.")
def tune(candidate: str, trials: int, minutes: float | None, write: bool, as_json: bool) -> None:
    """Search for better hyperparameters of CANDIDATE in its search space, `tune.CANDIDATE` in params.yaml.

    A trial trains as stage `train` does and is scored by macro-F1 on the validation split; the current values are one
    of the trials. If the command is interrupted or killed, the same command resumes. It ends with the best values as a
    change of params.yaml; once that is applied, `gazette run` makes exactly that model.

    \b
    Examples:
      gazette tune cnn --trials 30 --minutes 20
      gazette tune cnn --trials 30 --write
    """
    from prefect_dvc import locks

    from gazette.core import files
    from gazette.pipeline import state
    from gazette.training.networks import learn
    from gazette.training.tuning import objective, search_space

    deadline = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    numbers = files.read_yaml(PARAMS)
    model, section = (_section(numbers, kind, candidate) for kind in ("models", "tune"))
    space = search_space.read_space(section, model, candidate)
    current = {key: search_space.current_value(model, key, candidate) for key in space}
    shared = parse(learn.Params, numbers["train"], "params.yaml, section train")
    inputs = _training_inputs(numbers, candidate)
    evaluate = objective.Objective(candidate, model, shared, inputs)
    name = f"{candidate}-{objective.study_digest(model, section, shared, inputs)}"
    folder = state.state_folder(Path()) / "tuning"
    folder.mkdir(exist_ok=True)
    lock = folder / f"{candidate}.lock"
    with locks.file_lock(lock, f"{candidate} is being tuned"), locks.signed(lock):
        click.echo(f"study {name}", err=True)
        evaluate.check(space)

        from gazette.registry.trials import TrialRuns
        from gazette.training.tuning import study  # imports MLflow; a wrong search space fails before that

        trial_study = study.open_study(folder / f"{candidate}.db", name)
        runs = TrialRuns(numbers["corpus"], candidate, name)
        interrupted = False
        try:
            for trial in study.search(
                trial_study, space, current, evaluate, trials=trials, seed=shared.seed, until=deadline
            ):
                streams.echo_error(_line(trial))
                runs.log(study.finished_trials(trial_study))
        except KeyboardInterrupt:
            interrupted = True
        finished = study.finished_trials(trial_study)
        if not any(trial.figures for trial in finished):
            raise click.Abort
        runs.log(finished)
        best = study.best_trial(finished, current)
        runs.end(best)
    now = next((trial for trial in finished if trial.values == current), None)
    _report(candidate, finished, best, now, write=write and not interrupted, as_json=as_json, model=model)
    if interrupted:
        click.echo(f"interrupted; `gazette tune {candidate} --trials {trials}` resumes", err=True)
        raise click.Abort


def _section(numbers: dict[str, Any], kind: str, candidate: str) -> Any:
    sections = numbers.get(kind) or {}
    if candidate not in sections:
        names = ", ".join(sorted(sections)) or "nothing"
        raise ConfigError(f"params.yaml has no section {kind}.{candidate}; under {kind} it has {names}")
    return sections[candidate]


def _training_inputs(numbers: dict[str, Any], candidate: str) -> dict[str, Path]:
    """Return what stage `train` reads for a candidate, whether or not it is listed in `candidates`."""
    from gazette.pipeline import cmdline

    paths = cmdline.stage_paths(numbers | {"candidates": [candidate]})[f"train@{candidate}"]
    return {name: Path(paths[name]) for name in ("description", "train", "valid")}


def _line(trial: "Trial") -> str:
    values = ", ".join(f"{key} {value}" for key, value in trial.values.items())
    result = f"macro-F1 {trial.figures['macro_f1']:.4f}" if trial.figures else f"stopped: {trial.why}"
    return f"trial {trial.number}: {result}, {trial.seconds:.0f} s ({values})"


def _report(
    candidate: str,
    finished: list["Trial"],
    best: "Trial",
    now: "Trial | None",
    *,
    write: bool,
    as_json: bool,
    model: dict[str, Any],
) -> None:
    """Print the best trial and the change that it asks for, and write the change if `write` is true."""
    from prefect_dvc.core import atomic

    from gazette.core import files
    from gazette.training.tuning import params_patch

    if files.read_yaml(PARAMS)["models"].get(candidate) != model:
        raise ConfigError(f"models.{candidate} was edited during tuning: {_line(best)}. Run the command again")
    before = PARAMS.read_bytes().decode()  # keeps line ends
    change = {key: value for key, value in best.values.items() if now is None or value != now.values[key]}
    after = params_patch.patch_params(before, ("models", candidate), change)
    if write and change:
        atomic.write_text(PARAMS, after)
    if as_json:
        rows = [trial._asdict() | {"curve": len(trial.curve)} for trial in finished]
        record = {"trials": rows, "best": best.number, "change": change, "written": write and bool(change)}
        project.echo_json(record)
        return
    score = f"macro-F1 {best.score:.4f} ± {best.figures['standard_error']:.4f} on the validation split"
    click.echo(f"best of {len(finished)}: trial {best.number}, {score}" + (f", now {now.score:.4f}" if now else ""))
    if not change:
        click.echo("params.yaml already has the best values")
        return
    click.echo(params_patch.diff(before, after), nl=False)
    click.echo("written; `gazette run` makes this model" if write else "--write applies this change")
