"""The commands that decide which version is champion."""

from typing import TYPE_CHECKING

import click

from gazette.cli import options, project, streams

if TYPE_CHECKING:
    from gazette.registry.promotion import Decision, PromotionResult

DECISION = options.add_options(
    [
        click.option("--by", metavar="NAME", help="Who decides.  [default: git's author]"),
        click.option("--because", metavar="REASON", default="", help="The reason, recorded in the ledger."),
    ]
)


@click.command()
@click.argument("version", default="challenger")
@DECISION
@click.option(
    "--override", metavar="REASON", default="", help="Promote despite the gate or a rollback; recorded as an override."
)
def promote(version: str, by: str | None, because: str, override: str) -> None:
    """Make VERSION, by default the challenger, the champion.

    VERSION is a number or an alias. The gate judges its bundle; an isolated process loads it from the registry and must
    reproduce recorded predictions; then the ledger is written and the aliases are moved. If the gate does not accept
    it, or it was rolled back before, the command exits with 1 and nothing has changed. After a failure in between, the
    same command finishes the job.

    \b
    Examples:
      gazette promote
      gazette promote 7 --by "Ada Lovelace" --because "two points better on sport"
      gazette promote 7 --override "the slice has eleven rows; looked at by hand"
    """
    from gazette.evaluation.gate import promotion

    _show(promotion.promote(version, _decision(by, because, override), streams.echo_error))


@click.command()
@DECISION
def rollback(by: str | None, because: str) -> None:
    """Make the previous champion the champion again.

    The present champion becomes the previous one, and is not promoted again without --override.

    \b
    Examples:
      gazette rollback
      gazette rollback --because "agency feed labeled as sport since Monday"
    """
    from gazette.registry import promotion

    _show(promotion.roll_back(project.params()["corpus"], _decision(by, because)))


def _decision(by: str | None, because: str, override: str = "") -> "Decision":
    from prefect_dvc import git

    from gazette.registry.promotion import Decision

    who = by or git.run("var", "GIT_AUTHOR_IDENT").rpartition(">")[0] + ">"
    return Decision(who, because, override)


def _show(result: "PromotionResult") -> None:
    from gazette.registry.ledger import PATH

    entry = result.entry
    for line in result.finished:
        streams.echo_error(line)
    before = f", before it {entry.origin.version}" if entry.origin else ""
    click.echo(f"{entry.name}: version {entry.to.version} is champion{before} ({entry.kind} of {entry.when})")
    if result.is_new:
        click.echo(
            f'to keep it: git add {PATH} && git commit -m "{entry.kind}: {entry.name} {entry.to.version}"', err=True
        )
