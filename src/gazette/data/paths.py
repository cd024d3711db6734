"""Where a project has its corpora: a description `<name>.yaml`, a folder of raw files `<name>` and its pointer."""

from pathlib import Path

DESCRIPTIONS = Path("data/corpora")
RAW = Path("data/raw")
PRETRAINED = Path("data/pretrained")  # encoders: a description, a folder and its pointer, as corpora have


def descriptions() -> list[Path]:
    """The descriptions of corpora; `<name>.cases.yaml` beside one is none."""
    return sorted(path for path in DESCRIPTIONS.glob("*.yaml") if "." not in path.stem)
