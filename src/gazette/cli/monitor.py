"""The commands that watch a version: monitor, ask for labels, take the answers."""

import sys
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from prefect_dvc.core.errors import ConfigError

from gazette.cli import options, project
from gazette.core.escape import tally

if TYPE_CHECKING:
    from gazette.monitoring.observation import Observation
    from gazette.training.explanation.domain import Difference


class Period(click.ParamType[tuple[date, date]]):
    """Days FROM..UNTIL, of which the second is not in the period."""

    name = "FROM..UNTIL"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[date, date]:
        """Return both days; fails unless the second is later."""
        first, separator, until = value.partition("..")
        if not separator:
            self.fail(f"{value!r} is no period; expected one such as 2026-01-01..2026-07-01", param, ctx)
        try:
            period = date.fromisoformat(first), date.fromisoformat(until)
        except ValueError as error:
            self.fail(f"{value!r}: {error}; expected days such as 2026-01-01..2026-07-01", param, ctx)
        if period[0] >= period[1]:
            self.fail(f"{value!r} ends before it begins", param, ctx)
        return period


@click.group(cls=options.Group, invoke_without_command=True)
@options.as_json("Print what was observed as one JSON object.")
@click.option(
    "--since", type=click.DateTime(["%Y-%m-%d"]), metavar="DAY", help="Show windows from this day.  [default: all]"
)
@click.option("--reference", type=Period(), help="Period of the journal to compare with.  "
              "[default: the version's valid and test rows, if dated, or else the first windows]")  # fmt: skip
@click.option("--page", type=options.PATH, metavar="FILE", help="Write a page with charts, self-contained.")
@click.pass_context
def monitor(
    ctx: click.Context, as_json: bool, since: datetime | None, reference: tuple[date, date] | None, page: Path | None
) -> None:
    """Compare the champion's traffic with its reference, and its errors with what was expected.

    Signals without labels only say that traffic differs. Answers about randomly drawn articles say whether the champion
    errs more. Section `monitor` of params.yaml sets how often each may alarm if nothing changes. Exits with 0 if all is
    quiet, with 1 if anything alarms.

    \b
    Examples:
      gazette monitor
      gazette monitor --page reports/monitor.html
      gazette monitor --reference 2026-01-01..2026-07-01 --json
      gazette monitor ask 25
      gazette monitor answer questions.csv
    """
    if ctx.invoked_subcommand:
        return
    from gazette.monitoring import observe

    name, params = str(project.params()["corpus"]), observe.read_params()
    observation = observe.observe(Path(), name, datetime.now(UTC), period=reference)
    if not observation.records and not observation.labels:
        raise ConfigError(f"{observation.notes[-1]}; `gazette serve` and `gazette score` write them")
    words, delays = _compare_words(observation), observe.list_delays(observation, params)
    observation.windows[:] = [row for row in observation.windows if since is None or row["from"] >= f"{since:%Y-%m-%d}"]
    if page:
        from gazette.monitoring.page import page as pages

        pages.write_page(page, observation, words, delays, params)
        click.echo(page, err=True)
    if as_json:
        project.echo_json(observation.record() | {"words": words and vars(words), "delays": delays})
    else:
        from gazette.cli import monitor_view

        monitor_view.show(observation, words, delays)
    sys.exit(int(observation.is_alarm))


def _compare_words(observation: "Observation") -> "Difference | None":
    """Return how the words of texts sampled since the newest window began differ; None if rows are not available."""
    from gazette.monitoring import observe, words

    newest = observation.windows[-1]["from"] if observation.windows else "0001-01-01"
    version, _ = observe.find_version(observation.name)
    since = datetime.fromisoformat(f"{newest}T00:00+00:00")
    try:
        return words.compare_words(observe.JOURNAL, version, observation.name, since, observe.read_params().seed)
    except ConfigError:  # a note of the observation says so already
        return None


@click.command()
@click.argument("articles", type=click.IntRange(1), metavar="N")
@click.option("--to", type=options.PATH, metavar="FILE", help="CSV to write.  [default: in .gazette/monitor/asked]")
@click.option("--seed", type=click.IntRange(0), help="Of the draw.  [default: monitor.seed]")
def ask(articles: int, to: Path | None, seed: int | None) -> None:
    """Draw N articles of the journal's sample for a person to label, each only once.

    They are drawn at random from what the champion labeled, so that their accuracy is that of all; a part, if a shadow
    answers aside, where the two disagree (monitor.disagreement), which is marked and counts in no estimate. The CSV has
    id, text and an empty column label; personal data is masked.

    \b
    Example: gazette monitor ask 25 --to questions.csv
    """
    from gazette.monitoring import answers, asking, observe
    from gazette.pipeline import written

    name, params, now = str(project.params()["corpus"]), observe.read_params(), datetime.now(UTC)
    version, _ = observe.find_version(name)
    path = to or asking.default_path(Path(), now)
    written.check_replaceable(path)
    draw = answers.Draw(articles, params.disagreement, params.seed if seed is None else seed)
    questions = asking.draw_questions(Path(), version.digest, draw, now, path)
    if questions.is_empty():
        raise ConfigError(
            f"the sample in {observe.JOURNAL} has no text that {name} labeled and nobody was asked about; "
            f"{params.sample:.0%} of the answers are sampled (monitor.sample in params.yaml)"
        )
    random = questions.filter(how=answers.RANDOM).height
    click.echo(f"{tally(questions.height, 'article')}, {random:,} at random: {path}", err=True)
    click.echo(f"Fill in column label, then: gazette monitor answer {path}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--who", help="Who labeled the articles.  [default: you, by git]")
@click.option("--feedback", default="feedback", show_default=True, type=options.PATH, help="Folder for corrections.")
@options.encoding()
def answer(file: Path, who: str | None, feedback: Path, encoding: str | None) -> None:
    """Take labels from FILE, a table with the columns id and label, such as `gazette monitor ask` writes.

    Rows without a label are left out, so a file can be taken again as it is filled in. Each answer counts in the CUSUM
    of errors, and becomes feedback, by which `gazette corpus correct` corrects the corpus.

    \b
    Example: gazette monitor answer questions.csv
    """
    from prefect_dvc import git

    from gazette.core.corpus import read_description
    from gazette.data.coding import Hints
    from gazette.data.paths import DESCRIPTIONS
    from gazette.monitoring import answers, observe, questionnaire

    description = read_description(DESCRIPTIONS / f"{project.params()['corpus']}.yaml")
    questions = answers.read_questions(observe.FOLDER)
    labels = questionnaire.read_labels(file, questions, description.labels, Hints(description.language, encoding))
    author = who or git.run("var", "GIT_AUTHOR_IDENT").rpartition(">")[0] + ">"
    outcome = answers.record(observe.FOLDER, feedback, labels, author, datetime.now(UTC))
    changed = f", {outcome.changed:,} of them in place of another" if outcome.changed else ""
    click.echo(f"{tally(outcome.recorded, 'label')} recorded{changed}; {outcome.known:,} were recorded before.")


monitor.add_under("Labels", ask, answer)
