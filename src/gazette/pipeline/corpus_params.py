"""Values of params.yaml that the description of a corpus sets for that corpus: `params` in `data/corpora/<name>.yaml`.

Bounds, floors and margins belong to a corpus: what is far too little accuracy for five topics is good for thirty.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from prefect_dvc.core.errors import ConfigError

DESCRIPTIONS = Path("data/corpora")
NAME = re.compile(r"[a-z][a-z0-9_]{0,59}")  # of a corpus
NAME_RULE = "a name has lower-case letters, digits and _, and starts with a letter: `my_news`"
SECTIONS = ("validate", "gate")  # of params.yaml, whose values a description may set


def description_path(params: Mapping[str, Any]) -> Path:
    """Return the path of the description of the corpus that params.yaml names."""
    return DESCRIPTIONS / f"{params.get('corpus')}.yaml"


def merge(params: Mapping[str, Any], description: Mapping[str, Any]) -> dict[str, Any]:
    """Return params with the values that a description sets; raises ConfigError if params.yaml has no such key."""
    where, sections = f"{description_path(params)}: params", description.get("params") or {}
    if not isinstance(sections, Mapping) or (unknown := sections.keys() - set(SECTIONS)):
        got = ", ".join(sorted(map(str, unknown))) if isinstance(sections, Mapping) else f"{sections!r:.60}"
        raise ConfigError(f"{where}: expected the sections {' and '.join(SECTIONS)}, got {got}")
    read = {name: values for name, values in sections.items() if name in params}
    return {**params, **{name: _replace(params[name], values, f"{where}.{name}") for name, values in read.items()}}


def _replace(section: Any, values: Any, where: str) -> Any:
    if not isinstance(section, Mapping):
        kinds = (int, float) if type(section) is float else (type(section),)
        if section is not None and type(values) not in kinds:
            raise ConfigError(f"{where}: expected a value of the kind of {section!r:.60}, got {values!r:.60}")
        return values
    if not isinstance(values, Mapping):
        raise ConfigError(f"{where}: expected keys and values, got {values!r:.60}")
    if unknown := [key for key in values if key not in section]:
        raise ConfigError(f"{where}.{unknown[0]}: params.yaml has no such key in this section")
    return {**section, **{key: _replace(section[key], value, f"{where}.{key}") for key, value in values.items()}}
