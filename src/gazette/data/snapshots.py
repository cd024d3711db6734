"""Snapshots of a corpus: the working copy, or a revision."""

from pathlib import Path

from prefect_dvc import revisions
from prefect_dvc.core.errors import ConfigError

from gazette.core import corpus, files
from gazette.data.paths import DESCRIPTIONS, RAW


def find_snapshot(word: str, box: Path) -> tuple[corpus.Corpus, Path]:
    """Return description and raw files of NAME (the working copy), NAME@REVISION, or REVISION (its params' corpus).

    Files of a revision are fetched to the folder `box`. Raises ConfigError if name or revision are unknown, or the
    files are neither in DVC's cache nor on its remote.
    """
    name, _, revision = word.partition("@")
    described, raw = DESCRIPTIONS / f"{name}.yaml", RAW / name
    if not revision and described.exists():
        if not raw.exists():
            raise ConfigError(f"the files of {name} are missing; run `dvc pull {raw}.dvc` or `gazette corpus fetch`")
        return corpus.read_description(described), raw
    if not revision:
        revision = name
        revisions.fetch_file(revision, "params.yaml", box / "params.yaml")
        name = str(files.read_yaml(box / "params.yaml")["corpus"])
    revisions.fetch_file(revision, str(DESCRIPTIONS / f"{name}.yaml"), box / f"{name}.yaml")
    revisions.fetch_file(revision, str(RAW / name), box / name)
    return corpus.read_description(box / f"{name}.yaml"), box / name
