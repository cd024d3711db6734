"""The command that judges."""

import json
import sys
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from gazette.registry.verdict import Verdict


@click.command()
@click.option("--against", help="A revision, NAME/VERSION, NAME@alias or an alias; without it, the champion.")
@click.option("--json", "as_json", is_flag=True, help="The verdict as one JSON object.")
@click.option("--markdown", is_flag=True, help="The verdict for a reviewer.")
def gate(against: str | None, as_json: bool, markdown: bool) -> None:
    """Judge the selected classifier: accept (0), reject or cannot tell (1), by section gate of params.yaml.

    By itself (evidence, floors, behaviour) and beside another one on the same test rows (no worse than by a margin, on
    the whole and slice by slice). What git knows by the name is taken for a revision.

    \b
    Examples:
      gazette gate
      gazette gate --against main --markdown
      gazette gate --against bbc_news/3 --json
    """
    if as_json and markdown:
        raise click.UsageError("--json or --markdown, not both")
    from gazette.evaluation import markdown as page
    from gazette.evaluation.gate.judge import judge

    verdict = judge(against)
    if as_json:
        click.echo(json.dumps(verdict.record(), indent=2, ensure_ascii=False))
    elif markdown:
        click.echo(page.whole(verdict))
    else:
        _show(verdict)
    sys.exit(verdict.code)


def _show(verdict: "Verdict") -> None:
    from rich.table import Table

    from gazette.cli.corpus_view import console
    from gazette.core.escape import shown
    from gazette.evaluation.markdown import in_a_line
    from gazette.registry.verdict import PASS

    table = Table("", "rule", "observed", "expected", "why", box=None, header_style="bold")
    for finding in verdict.findings:
        mark = finding.outcome if finding.blocks or finding.outcome == PASS else f"{finding.outcome} (warns)"
        table.add_row(mark, finding.rule, shown(str(finding.observed)), str(finding.expected), shown(finding.why, 160))
    to = console()
    to.print(table, "", sep="\n")
    to.print(in_a_line(verdict), soft_wrap=True)
