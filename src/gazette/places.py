"""Where a project has its corpora: a description `<name>.yaml`, a folder of raw files `<name>` and its pointer."""

from pathlib import Path

DESCRIPTIONS = Path("data/corpora")
RAW = Path("data/raw")
