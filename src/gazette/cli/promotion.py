"""The commands that decide which version is champion."""

from typing import TYPE_CHECKING

import click

from gazette.cli import project
from gazette.core.errors import Misconfigured, parse

if TYPE_CHECKING:
    from gazette.registry.promotion import Decision, Outcome
    from gazette.registry.verdict import Finding
    from gazette.registry.versions import Model

BY = click.option("--by", help="Who decides.  [default: git's author]")
BECAUSE = click.option("--because", default="", help="Why; it stands in the ledger.")


@click.command()
@click.argument("version", default="challenger")
@BY
@BECAUSE
@click.option(
    "--override", metavar="REASON", default="", help="Promote what the gate does not accept; recorded as such."
)
def promote(version: str, by: str | None, because: str, override: str) -> None:
    """Make VERSION the champion: a number or an alias, by default the challenger.

    The gate judges that very bundle; a clean process loads it from the registry and must say of known articles what was
    recorded; then the ledger is written, then the aliases move. Rejected, it ends with 1 and nothing has changed. After
    a failure in between, the same command finishes what was begun.

    \b
    Examples:
      gazette promote
      gazette promote 7 --by "Ada Lovelace" --because "two points better on sport"
      gazette promote 7 --override "the slice has eleven rows; looked at by hand"
    """
    from gazette.evaluation.gate.judge import judge
    from gazette.registry import promotion, smoke_test

    numbers = project.params()
    if "promote" not in numbers:
        raise Misconfigured("params.yaml has no section promote, which says what probation asks and may cost")
    budget = parse(smoke_test.Params, numbers["promote"], "params.yaml, section promote")

    def undergo(model: "Model", revision: str) -> "list[Finding]":
        click.echo(f"{model.asked}: loading it in a clean process", err=True)
        return smoke_test.undergo(budget, model, smoke_test.articles(smoke_test.recorded(revision), budget.articles))

    outcome = promotion.promote(
        numbers["corpus"],
        version,
        _decision(by, because, override),
        smoke_test.revision,
        lambda folder: judge(bundle=folder),
        undergo,
    )
    _tell(outcome)


@click.command()
@BY
@BECAUSE
def rollback(by: str | None, because: str) -> None:
    """Make the version champion that was before; the present champion becomes the previous one.

    \b
    Examples:
      gazette rollback
      gazette rollback --because "agency feed labelled as sport since Monday"
    """
    from gazette.registry import promotion

    _tell(promotion.roll_back(project.params()["corpus"], _decision(by, because)))


def _decision(by: str | None, because: str, override: str = "") -> "Decision":
    from gazette.pipeline import git
    from gazette.registry.promotion import Decision

    who = by or git.said("var", "GIT_AUTHOR_IDENT").rpartition(">")[0] + ">"
    return Decision(who, because, override)


def _tell(outcome: "Outcome") -> None:
    from gazette.registry.ledger import PATH

    entry = outcome.entry
    for line in outcome.finished:
        click.echo(line, err=True)
    before = f", before it {entry.origin.version}" if entry.origin else ""
    click.echo(f"{entry.name}: version {entry.to.version} is champion{before} ({entry.kind} of {entry.when})")
    if outcome.is_new:
        click.echo(
            f'git add {PATH} && git commit -m "{entry.kind}: {entry.name} {entry.to.version}" keeps it', err=True
        )
