"""What a version must pass before it may answer: digest, statement, recorded answers."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from prefect_dvc import git, hashing
from prefect_dvc.core.errors import CommandError, ConfigError

from gazette.core.bundle import Bundle
from gazette.serving import pull
from gazette.serving.online.source import Wanted

ARTICLES = 64
TOLERANCE = 1e-4
_EXAMPLES = ["Shares fell after the bank cut its forecast.", "央行宣布下调存款准备金率", ""]


def check(wanted: Wanted, folder: Path, public_key: str) -> None:
    """Raise ConfigError if the bundle in a folder may not answer.

    Its hash is the registered one. A statement, if there is one, names its files; with a key there must be one, signed
    by it. It gives the recorded probabilities of test articles of its revision if this clone has them, and
    probabilities at all if not.
    """
    if (digest := hashing.dvc_hash(folder)) != wanted.digest:
        raise ConfigError(f"its files have the hash {digest}, it was registered with {wanted.digest}")
    _check_statement(wanted, folder, public_key)
    _check_answers(wanted, Bundle(folder, threads=1))


def check_signature(signature: dict[str, Any] | None, folder: Path, signers: Sequence[str]) -> None:
    """Raise ConfigError if none of the keys at these paths signed the files of a bundle."""
    from gazette.registry import model_signature

    if faults := model_signature.verify(signature, folder, [Path(key) for key in signers]):
        raise ConfigError("; ".join(faults))


def _check_statement(wanted: Wanted, folder: Path, public_key: str) -> None:
    if not wanted.has_statement:
        if public_key:
            raise ConfigError(f"it has no statement that {public_key} could have signed; `gazette attest` writes one")
        return
    from gazette.registry import signing, statements

    record = statements.fetch_record(wanted.name, wanted.version)
    if record is None:
        raise ConfigError("its statement is gone from the registry")
    if public_key and (faults := signing.verify(record, Path(public_key))):
        raise ConfigError(f"its statement: {'; '.join(faults)}")
    if names := pull.statement_faults(statements.unwrap(record), folder):
        raise ConfigError(f"its statement has other digests for {', '.join(names)}")


def _check_answers(wanted: Wanted, bundle: Bundle) -> None:
    rows = bundle.probabilities(_EXAMPLES)
    if not (np.isfinite(rows).all() and np.allclose(rows.sum(axis=1), 1, atol=1e-3)):
        raise ConfigError("its answers are not probabilities")
    if not wanted.revision or not git.is_commit(wanted.revision):
        return
    from gazette.registry import smoke_test

    try:
        recorded = smoke_test.read_recorded(wanted.revision, ARTICLES)
    except CommandError:
        return  # neither cache nor remote has them here
    error = float(np.abs(bundle.probabilities(recorded.texts) - np.array(recorded.probabilities)).max())
    if not error <= TOLERANCE:
        raise ConfigError(f"its answers to {len(recorded.texts)} recorded articles differ by {error:.2g}")
