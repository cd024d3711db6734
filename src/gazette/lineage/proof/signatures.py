"""Signatures of this revision's selected bundle, in the OpenSSF Model Signing format: written and verified."""

from collections.abc import Sequence
from pathlib import Path

from prefect_dvc.core import atomic
from prefect_dvc.core.errors import ConfigError

from gazette.core import files
from gazette.lineage.proof import provenance
from gazette.pipeline import dvclock
from gazette.registry import model_signature, signing, statements


def signature_path(corpus: str, commit: str) -> Path:
    """Return the path of the signature of a revision's bundle."""
    return provenance.statement_path(corpus, commit).with_suffix(statements.SUFFIX)


def write_signature(corpus: str, path: Path, key: Path) -> None:
    """Write a signature of the selected bundle; raises ConfigError if there is no bundle, or no private ECDSA key."""
    atomic.write_text(path, signing.text(model_signature.sign(_bundle_folder(), corpus, key)))


def signature_faults(signers: Sequence[Path]) -> list[str]:
    """Return why no signature in `statements` is one of the selected bundle by one of the keys; empty if one is."""
    folder, paths = _bundle_folder(), sorted(provenance.FOLDER.glob(f"*{statements.SUFFIX}"))
    if not paths:
        return [f"{folder}: {fault}" for fault in model_signature.verify(None, folder, signers)]
    faults = {path: _faults_of(path, folder, signers) for path in paths}
    return [f"{path}: {fault}" for path in paths for fault in faults[path]] if all(faults.values()) else []


def _faults_of(path: Path, folder: Path, signers: Sequence[Path]) -> list[str]:
    try:
        record = files.read_json(path)
    except ValueError as error:
        return [f"not a signature of a model: {error!r}"]
    return model_signature.verify(record, folder, signers)


def _bundle_folder() -> Path:
    folder = dvclock.load(None).option("select", "bundle")
    if folder is None or not Path(folder).is_dir():
        raise ConfigError(
            f"no selected bundle at {folder or 'any path'}: `gazette run` makes it, `dvc checkout` restores it"
        )
    return Path(folder)
