"""The two sides of a comparison: a corpus by its name, or as it was at a revision."""

from pathlib import Path

from gazette.core import corpus, files
from gazette.core.errors import Misconfigured
from gazette.data.paths import DESCRIPTIONS, RAW
from gazette.pipeline import revisions


def find(word: str, box: Path) -> tuple[corpus.Corpus, Path]:
    """The description and the raw files of NAME (as it is here), NAME@REVISION, or REVISION (its params' corpus).

    What is not here is brought to the folder `box`. Raises Misconfigured where a name or a revision is unknown, or its
    files are at hand neither in DVC's cache nor in its remote.
    """
    name, _, revision = word.partition("@")
    described, raw = DESCRIPTIONS / f"{name}.yaml", RAW / name
    if not revision and described.exists():
        if not raw.exists():
            raise Misconfigured(f"the files of {name} are not here; run `dvc pull {raw}.dvc` or `gazette corpus fetch`")
        return corpus.describe(described), raw
    if not revision:
        revision = name
        revisions.fetch(revision, "params.yaml", box / "params.yaml")
        name = str(files.read_yaml(box / "params.yaml")["corpus"])
    revisions.fetch(revision, str(DESCRIPTIONS / f"{name}.yaml"), box / f"{name}.yaml")
    revisions.fetch(revision, str(RAW / name), box / name)
    return corpus.describe(box / f"{name}.yaml"), box / name
