"""The command that judges the selected classifier."""

import sys
from typing import TYPE_CHECKING

import click

from gazette.cli import options, project

if TYPE_CHECKING:
    from gazette.registry.verdict import Verdict


@click.command()
@click.option("--against", metavar="MODEL", help="A revision, NAME/VERSION, NAME@ALIAS or alias.  [default: champion]")
@options.as_json("Print the verdict as one JSON object.")
@click.option("--markdown", is_flag=True, help="Print the verdict as Markdown, for a reviewer.")
def gate(against: str | None, as_json: bool, markdown: bool) -> None:
    """Judge the selected classifier: accept, reject or inconclusive.

    Section `gate` of params.yaml sets the rules: provenance, absolute floors, invariance, and non-inferiority to a
    baseline on the same test rows, overall and slice by slice. Exits with 0 if accepted, else with 1. A name that git
    knows is a revision.

    \b
    Examples:
      gazette gate
      gazette gate --against main --markdown
      gazette gate --against bbc_news/3 --json
    """
    if as_json and markdown:
        raise click.UsageError("--json and --markdown exclude each other")
    from gazette.evaluation import markdown as page
    from gazette.evaluation.gate.judge import judge

    project.check_corpus(project.params())
    verdict = judge(against)
    if as_json:
        project.echo_json(verdict.record())
    elif markdown:
        click.echo(page.render_verdict(verdict))
    else:
        _show(verdict)
    sys.exit(verdict.code)


def _show(verdict: "Verdict") -> None:
    from gazette.cli import tables
    from gazette.evaluation.markdown import summarize_verdict
    from gazette.registry.verdict import PASS

    rows = [
        vars(finding) | {"": finding.outcome + ("" if finding.blocks or finding.outcome == PASS else " (warns)")}
        for finding in verdict.findings
    ]
    table = tables.build_table(rows, ("", "rule", "observed", "expected", "why"), limits={"why": 160})
    tables.show(table, "", summarize_verdict(verdict))
