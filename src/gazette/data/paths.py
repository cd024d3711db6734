"""Paths of a project's corpora: a description `<name>.yaml`, a folder of raw files `<name>` and its pointer."""

from pathlib import Path

from gazette.pipeline import corpus_params

DESCRIPTIONS = corpus_params.DESCRIPTIONS
RAW = Path("data/raw")
PRETRAINED = Path("data/pretrained")  # encoders, with description, folder and pointer like corpora


def list_descriptions() -> list[Path]:
    """List the descriptions of corpora; `<name>.cases.yaml` is not one."""
    return sorted(path for path in DESCRIPTIONS.glob("*.yaml") if "." not in path.stem)
