"""The commands that prove: a revision made again, everything recorded checked, a statement on it."""

import json
import sys
from pathlib import Path
from typing import Any

import click

from gazette.core.errors import BrokenContract

SIGN = click.option(
    "--sign", "key", type=click.Path(path_type=Path), help="A private Ed25519 key in PEM: the statement is signed."
)
TO = click.option(
    "--to", type=click.Path(path_type=Path), help="The statement's file; by default statements/CORPUS-REVISION.json."
)
AS_JSON = click.option("--json", "as_json", is_flag=True, help="One JSON object.")


def tell(line: str) -> None:
    """Progress, which is no result."""
    click.echo(line, err=True)


@click.command()
@click.argument("asked", metavar="REV|VERSION", default="HEAD")
@SIGN
@TO
@AS_JSON
def reproduce(asked: str, key: Path | None, to: Path | None, as_json: bool) -> None:
    """Make a revision again from raw data alone, in a fresh clone, and compare every byte with what it recorded.

    Ends with 0 where all is identical, and writes a statement; else with 1, and names the first stage that differs.

    \b
    Examples:
      gazette reproduce
      gazette reproduce bbc_news/3 --sign key.pem
      gazette reproduce 1f3c9a2 --json
    """
    from gazette.lineage.proof import provenance
    from gazette.lineage.proof import reproduce as reproducing
    from gazette.registry import resolve

    with reproducing.reproduced(resolve.commit(asked), tell) as (made, clone):
        corpus, digest = reproducing.identity(made.revision)
        record = made.record() | {"machine": _machine(made.machines, corpus, digest) if made.differences else ""}
        if made.identical:
            path = to or provenance.path_of(corpus, made.revision)
            facts = {"identical": True, "environment": record["environment"]}
            provenance.write(provenance.make(clone, made.revision, made.machines, facts), path, key)
            record["statement"] = str(path)
    if made.identical:
        _beside(corpus, digest, Path(record["statement"]))
    if as_json:
        click.echo(json.dumps(record, indent=2, ensure_ascii=False))
    else:
        _show(record, made.differences)
    sys.exit(0 if made.identical else 1)


def _show(record: dict[str, Any], differences: list[Any]) -> None:
    revision = record["revision"][:9]
    if record["identical"]:
        click.echo(f"identical: {record['outputs']} outputs of {revision}, in {record['seconds']:.0f} s")
        click.echo(f"statement {record['statement']}")
        return
    if record["failed"]:
        click.echo(f"{revision} could not be made: {record['failed']}")
    if differences:
        click.echo(f"{revision} differs, first in {differences[0].stage}:")
        click.echo("\n".join(f"  {one}" for one in differences))
        click.echo(record["machine"])


@click.command()
@click.option(
    "--key", type=click.Path(path_type=Path), help="The public key in PEM by which statements must be signed."
)
@click.option(
    "--statement", "only", type=click.Path(path_type=Path), help="That statement, instead of statements/*.json."
)
@click.option("--registry", "ask", is_flag=True, help="Download the version of the selected bundle too, and hash it.")
@AS_JSON
def verify(key: Path | None, only: Path | None, ask: bool, as_json: bool) -> None:
    """Read every byte that was recorded of this revision again, and name what is not so; nothing is run.

    Files under git, raw data, code, params, outputs, the ledger and the statements; ends with 3 where any differs.

    \b
    Examples:
      gazette verify
      gazette verify --key team.pub.pem --registry --json
    """
    from gazette.lineage.proof import provenance
    from gazette.lineage.proof import reproduce as reproducing
    from gazette.lineage.proof import verify as verifying

    statements = [only] if only else sorted(provenance.FOLDER.glob("*.json"))
    found = verifying.findings(statements, key)
    if ask:
        found += verifying.registered(*reproducing.identity("HEAD"))
    if as_json:
        click.echo(json.dumps({"statements": [str(one) for one in statements], "differs": found}, indent=2))
    else:
        click.echo("\n".join(found) or "all is as it was recorded")
    if found:
        sys.exit(BrokenContract.code)


@click.command()
@SIGN
@TO
def attest(key: Path | None, to: Path | None) -> None:
    """Write a statement on this revision without making it again: outputs, materials, params, machine.

    \b
    Examples:
      gazette attest --sign key.pem
    """
    from gazette.core import files
    from gazette.lineage.proof import provenance
    from gazette.lineage.proof import reproduce as reproducing
    from gazette.lineage.proof import verify as verifying
    from gazette.pipeline import git

    if found := verifying.findings([], None):
        raise BrokenContract("what was recorded is not so any more:\n" + "\n".join(f"  {one}" for one in found))
    commit = git.commit("HEAD")
    corpus, digest = reproducing.identity(commit)
    machines = {path.stem: files.read(path) for path in sorted(reproducing.FINGERPRINTS.glob("*.json"))}
    path = to or provenance.path_of(corpus, commit)
    provenance.write(provenance.make(Path(), commit, machines, None), path, key)
    _beside(corpus, digest, path)
    click.echo(path)


def _machine(machines: dict[str, Any], corpus: str, digest: str) -> str:
    from gazette.lineage.proof import machines as fingerprints

    now = next(iter(machines.values()), None)
    return fingerprints.explanation(fingerprints.recorded(corpus, digest), now)


def _beside(corpus: str, digest: str, path: Path) -> None:
    """Puts the statement beside the version in the registry, where there is one."""
    from gazette.registry import statements as beside

    if place := beside.put(corpus, digest, path):
        tell(f"the statement lies beside {place} too")
