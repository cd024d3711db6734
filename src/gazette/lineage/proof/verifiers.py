"""How many verifiers made this revision again, byte for byte: claims in `statements`, each by a key of its own."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from prefect_dvc import git
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.lineage.proof import checking, provenance
from gazette.registry import signing


def verifier_faults(paths: Iterable[Path], keys: Sequence[Path], required: int) -> list[str]:
    """Return that fewer of the keys than required signed a claim that holds for this tree; empty if enough did.

    Raises ConfigError if there are fewer keys than required, since that could never be met.
    """
    known = {signing.key_id(key) for key in keys}
    if len(known) < required:
        raise ConfigError(
            f"{required} verifiers are required, and there are {len(known)} keys; pass the public key of each with "
            "--key, or list them under trust.verifiers in params.yaml"
        )
    verifiers = list_verifiers(paths, keys)
    if len(verifiers) >= required:
        return []
    return [
        f"{provenance.FOLDER}: {len(verifiers)} of {required} required verifiers made this revision again "
        f"({', '.join(map(str, verifiers)) or 'none'}); another one runs `gazette reproduce --sign KEY` and commits "
        "the claim that it writes there"
    ]


def list_verifiers(paths: Iterable[Path], keys: Sequence[Path]) -> list[Path]:
    """Return the keys, each once, that signed a claim of re-derivation which holds for this tree, byte for byte."""
    commit, identifiers = git.resolve_commit("HEAD"), {signing.key_id(key): key for key in reversed(keys)}
    states: dict[str, dict[str, Any]] = {}  # what is to be stated of this tree, by revision
    verifiers = set()
    for path in paths:
        claim = provenance.read_claim(path.read_bytes())
        key = identifiers.get(provenance.circumstances(claim)[0]) if claim else None
        if claim is None or key is None or signing.verify(files.read_json(path), key):
            continue
        revision = provenance.revision_of(claim)
        if not git.is_commit(revision) or not checking.is_on(revision, commit):
            continue
        if revision not in states:
            states[revision] = provenance.make_statement(Path(), revision, {}, None)
        if claim == provenance.make_claim(states[revision], *provenance.circumstances(claim)):
            verifiers.add(key)
    return sorted(verifiers)
