"""Where a project has its corpora: a description `<name>.yaml`, a folder of raw files `<name>` and its pointer."""

from pathlib import Path

DESCRIPTIONS = Path("data/corpora")
RAW = Path("data/raw")


def descriptions() -> list[Path]:
    """The descriptions of corpora; `<name>.cases.yaml` beside one is none."""
    return sorted(path for path in DESCRIPTIONS.glob("*.yaml") if "." not in path.stem)
