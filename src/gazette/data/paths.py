"""Paths of a project's corpora: a description `<name>.yaml`, a folder of raw files `<name>` and its pointer."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect_dvc.core.errors import ConfigError

from gazette.pipeline import corpus_params

DESCRIPTIONS = corpus_params.DESCRIPTIONS
RAW = Path("data/raw")
PRETRAINED = Path("data/pretrained")  # encoders, with description, folder and pointer like corpora


def list_descriptions() -> list[Path]:
    """List the descriptions of corpora; `<name>.cases.yaml` is not one."""
    return sorted(path for path in DESCRIPTIONS.glob("*.yaml") if "." not in path.stem)


def check_described(params: Mapping[str, Any]) -> None:
    """Raise ConfigError with the corpora there are if params.yaml names none of them."""
    path = corpus_params.description_path(params)
    if not path.is_file():
        names = ", ".join(described.stem for described in list_descriptions())
        raise ConfigError(
            f"params.yaml: corpus: {params['corpus']}: there is no {path}; expected one of {names or '(none)'}, or a "
            "corpus that `gazette corpus add` adds"
        )
