"""The commands that prove: reproduce a revision, verify everything recorded, write a statement."""

import sys
from pathlib import Path
from typing import Any

import click
from prefect_dvc.core.errors import ConfigError, DataContractError

from gazette.cli import options, project, streams, trust
from gazette.core.escape import escape_lines

SIGN = click.option("--sign", "key", type=options.PATH,
                    help="Sign the statement with this private Ed25519 key in PEM.")  # fmt: skip
TO = click.option("--to", type=options.PATH, help="The statement's file.  [default: statements/CORPUS-REVISION.json]")


def echo_progress(line: str) -> None:
    """Print a line of progress on standard error."""
    streams.echo_error(line)


@click.command(cls=project.RootCommand)
@click.argument("name", metavar="[REV|VERSION]", default="HEAD")
@SIGN
@TO
@options.as_json()
def reproduce(name: str, key: Path | None, to: Path | None, as_json: bool) -> None:
    """Make a revision again in a fresh clone, from raw data alone, and compare every byte.

    If all outputs are identical, writes a statement and exits with 0; else exits with 1 and names the first stage that
    differs. With --sign, writes beside it the claim that the key's owner made it again, byte for byte, on this machine.

    \b
    Examples:
      gazette reproduce
      gazette reproduce bbc_news/3 --sign key.pem
      gazette reproduce 1f3c9a2 --json
    """
    from gazette.lineage.proof import provenance
    from gazette.lineage.proof import reproduce as reproducing
    from gazette.pipeline import written
    from gazette.registry import resolve, signing

    commit = resolve.resolve_commit(name)
    corpus, digest = reproducing.revision_identity(commit)
    path = to or provenance.statement_path(corpus, commit)
    claim = provenance.claim_path(path, signing.key_id(key)) if key else None
    for place in filter(None, (path, claim)):
        written.check_replaceable(place, provenance.is_statement)
    with reproducing.reproduce_revision(commit, echo_progress) as (result, clone):
        record = result.record()
        record["machine"] = _explain_machine(result.machines, corpus, digest) if result.differences else ""
        if result.identical:
            facts = {"identical": True, "environment": record["environment"]}
            statement = provenance.make_statement(clone, result.revision, result.machines, facts)
            record["statement"] = str(path)
            if not provenance.is_signed_by_another(path, key):
                provenance.write_statement(statement, path, key)
            if claim and key:
                again = provenance.make_claim(statement, signing.key_id(key), result.machines, record["environment"])
                provenance.write_statement(again, claim, key)
                record["claim"] = str(claim)
    if as_json:
        project.echo_json(record)
    else:
        _show(record, result.differences)
    if result.identical:
        _attach(corpus, digest, Path(record["statement"]))
    sys.exit(0 if result.identical else 1)


def _show(record: dict[str, Any], differences: list[Any]) -> None:
    revision = record["revision"][:9]
    if record["identical"]:
        click.echo(f"identical: {record['outputs']} outputs of {revision}, in {record['seconds']:.0f} s")
        click.echo(f"statement {record['statement']}")
        if "claim" in record:
            click.echo(f"claim {record['claim']}")
        return
    if record["failed"]:
        click.echo(f"{revision} could not be made: {escape_lines(record['failed'])}")
    if differences:
        click.echo(f"{revision} differs, first in {differences[0].stage}:")
        click.echo(escape_lines("\n".join(f"  {difference}" for difference in differences)))
        click.echo(record["machine"])


@click.command()
@click.option("--key", "keys", type=options.PATH, multiple=True,
              help="Require signatures by this public key in PEM; of several, one of each statement.")  # fmt: skip
@click.option("--require", type=click.IntRange(0), metavar="N",
              help="Require that the owners of so many of the keys made this revision again, byte for byte.  "
                   "[default: trust.require in params.yaml, of trust.verifiers]")  # fmt: skip
@click.option("--statement", type=options.PATH,
              help="Check only this statement.  [default: statements/*.json]")  # fmt: skip
@click.option("--registry", is_flag=True, help="Also download the registered version of the selected bundle.")
@trust.SIGNERS
@options.as_json()
def verify(
    keys: tuple[Path, ...],
    require: int | None,
    statement: Path | None,
    registry: bool,
    signers: tuple[Path, ...],
    as_json: bool,
) -> None:
    """Hash everything recorded of this revision again, and list what differs.

    Checks files under git, raw data, code, params, outputs, the ledger and the statements, and runs nothing. Exits with
    3 if anything differs, or if a signature of the selected bundle is required and none is in statements/*.sig.

    \b
    Examples:
      gazette verify
      gazette verify --key team.pub.pem --registry --json
      gazette verify --require 2 --key ada.pub.pem --key grace.pub.pem --key alan.pub.pem
    """
    from gazette.lineage.proof import provenance, signatures, verifiers
    from gazette.lineage.proof import reproduce as reproducing
    from gazette.lineage.proof import verify as verifying

    owners = trust.list_signers(signers)
    required, verifier_keys = trust.list_verifiers(require, keys)
    statements = [statement] if statement else sorted(provenance.FOLDER.glob("*.json"))
    differences = verifying.verify_revision(statements, keys)
    if owners:
        differences += signatures.signature_faults(owners)
    if required:
        differences += verifiers.verifier_faults(statements, verifier_keys, required)
    if registry:
        differences += verifying.verify_registered(*reproducing.revision_identity("HEAD"), owners)
    if as_json:
        project.echo_json({"statements": [str(path) for path in statements], "differs": differences})
    else:
        click.echo(escape_lines("\n".join(differences)) or "everything is as recorded")
    if differences:
        sys.exit(DataContractError.code)


@click.command(cls=project.RootCommand)
@SIGN
@click.option("--oms", type=options.PATH,
              help="Sign the selected bundle in the OpenSSF Model Signing format, by this private ECDSA key in PEM, "
                   "instead of writing a statement.")  # fmt: skip
@TO
def attest(key: Path | None, oms: Path | None, to: Path | None) -> None:
    """Write a statement about this revision without reproducing it: outputs, materials, params, machine.

    With --oms, writes a signature of the selected bundle that `model_signing verify key` accepts, to
    statements/CORPUS-REVISION.sig.

    \b
    Examples:
      gazette attest --sign key.pem
      gazette attest --oms ecdsa.pem
    """
    from prefect_dvc import git

    from gazette.core import files
    from gazette.lineage.proof import provenance, signatures
    from gazette.lineage.proof import reproduce as reproducing
    from gazette.lineage.proof import verify as verifying
    from gazette.pipeline import written
    from gazette.registry import model_signature, statements

    if key and oms:
        raise click.UsageError("--sign signs a statement, --oms the bundle itself; call it twice for both")
    if differences := verifying.verify_revision([], None):
        raise DataContractError("the tree is not as recorded:\n" + "\n".join(f"  {line}" for line in differences))
    commit = git.resolve_commit("HEAD")
    corpus, digest = reproducing.revision_identity(commit)
    if oms:
        path = to or signatures.signature_path(corpus, commit)
        written.check_replaceable(path, model_signature.is_signature)
        signatures.write_signature(corpus, path, oms)
    else:
        machines = {path.stem: files.read_json(path) for path in sorted(reproducing.FINGERPRINTS.glob("*.json"))}
        path = to or provenance.statement_path(corpus, commit)
        written.check_replaceable(path, provenance.is_statement)
        provenance.write_statement(provenance.make_statement(Path(), commit, machines, None), path, key)
    click.echo(path)
    _attach(corpus, digest, path, statements.SIGNATURE if oms else statements.TAG)


def _explain_machine(machines: dict[str, Any], corpus: str, digest: str) -> str:
    from gazette.lineage.proof import machines as fingerprints

    now = next(iter(machines.values()), None)
    return fingerprints.explain_machines(fingerprints.recorded_machine(corpus, digest), now)


def _attach(corpus: str, digest: str, path: Path, tag: str = "statement") -> None:
    """Attach a statement or a signature to its version, if there is a registry; raises ConfigError if that is down."""
    from gazette.registry import statements

    try:
        version = statements.attach_statement(corpus, digest, path, tag)
    except ConfigError as error:
        raise ConfigError(f"{path} is written, but not attached to its version: {error}") from error
    if version:
        echo_progress(f"the {tag} is attached to {version}")
