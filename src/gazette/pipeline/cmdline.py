"""The path of each option of each stage, read from `cmd:` in `dvc.yaml`, the only file that has paths."""

import re
import shlex
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from prefect_dvc.core.errors import ConfigError
from prefect_dvc.flatten import flatten

from gazette.core import candidates, files
from gazette.pipeline import corpus_params

PARAMS = Path("params.yaml")
NAME = re.compile(r"\w[\w.-]*", re.ASCII)  # of a candidate or an encoder
NAME_RULE = "a name has letters, digits, `_`, `-` and `.`, and starts with none of the last two: `my_model`"
SECTIONS = (
    "pretrained", "teachers", "validate", "preprocess", "train", "extract_features", "soft_labels", "distill", "select",
    "evaluate", "gate", "monitor", "retrain", "smoke_test", "models", "tune",
)  # fmt: skip


class Sections(dict[str, Any]):
    """The sections of params.yaml; one that is missing raises ConfigError, not KeyError."""

    def __missing__(self, key: str) -> Any:
        if key == "corpus":
            raise ConfigError(f"{PARAMS} has no `corpus`, the name of a corpus that `gazette corpus list` shows")
        raise ConfigError(f"{PARAMS} has no section {key}; docs/params.md lists all")


def read_params(path: Path = PARAMS) -> Sections:
    """Read params.yaml and what the corpus's description sets in it.

    Raises ConfigError if the corpus, the candidates or a section is of the wrong kind.
    """
    params = Sections(files.read_yaml(path))
    for kind, value in pretrained.items() if isinstance(pretrained := params.get("pretrained"), dict) else ():
        if not isinstance(value, dict):
            raise ConfigError(
                f"{path}, section pretrained: {kind}: expected a candidate and its encoder, such as "
                f"{{minilm: all-minilm-l6-v2}}, got {value!r:.60}"
            )
    if day := next((key for key, value in flatten(params).items() if isinstance(value, date)), None):
        raise ConfigError(f"{path}: {day}: put the date in quotes, such as '2026-01-01'; DVC reads no other")
    for key, value in params.items():
        if key == "corpus" and not isinstance(value, str):
            raise ConfigError(f"{path}: corpus: expected the name of a corpus, got {value!r:.60}")
        if key == "candidates" and not (isinstance(value, list) and all(isinstance(name, str) for name in value)):
            raise ConfigError(f"{path}: candidates: expected a list of names, such as [linear, cnn], got {value!r:.60}")
        if key == "candidates" and (twice := [name for name in value if value.count(name) > 1]):
            raise ConfigError(f"{path}: candidates: {twice[0]} is listed twice")
        if key in SECTIONS and not isinstance(value, dict):
            got = "nothing: is what is below it indented?" if value is None else f"{value!r:.60}"
            raise ConfigError(f"{path}, section {key}: expected keys and values, got {got}")
    _check_names(params, path)
    if params.get("candidates") == [] and not candidates.all_candidates(params):
        raise ConfigError(f"{path}: candidates: none; list one, such as [linear]")
    description = path.parent / corpus_params.description_path(params)
    if description.is_file():
        return Sections(corpus_params.merge(params, files.read_yaml(description)))
    return params


def _check_names(params: Mapping[str, Any], path: Path) -> None:
    """Raise ConfigError if a name is no single word, as the commands of dvc.yaml need it."""
    if "corpus" in params and not corpus_params.NAME.fullmatch(params["corpus"]):
        raise ConfigError(f"{path}: corpus: {params['corpus']!r:.60}: {corpus_params.NAME_RULE}")
    sections = [params.get("teachers", {}), *params.get("pretrained", {}).values()]
    words = [word for section in sections for pair in section.items() for word in pair]
    for word in map(str, [*params.get("candidates", []), *words]):
        if not NAME.fullmatch(word):
            raise ConfigError(f"{path}: candidate or encoder {word!r:.60}: {NAME_RULE}")


def check_candidates(params: Mapping[str, Any]) -> None:
    """Raise ConfigError if a candidate has no section under `models`."""
    models = params["models"]
    if missing := [name for name in candidates.all_candidates(dict(params)) if name not in models]:
        raise ConfigError(
            f"{PARAMS}: candidates: {missing[0]}: section models has none of this name; it has {', '.join(models)}"
        )


def stage_paths(params: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return the path by stage (`train@cnn` for a candidate) and option, templates filled in."""
    paths = {}
    for name, definition in files.read_yaml(Path("dvc.yaml"))["stages"].items():
        command = definition.get("do", definition)["cmd"]
        for suffix, values in _instances(name, definition, params).items():
            paths[name + suffix] = parse_options(fill_template(command, params | values))
    return paths


def _instances(name: str, definition: dict[str, Any], params: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the suffix of each stage that a definition stands for, with the values of its `${key}` and `${item}`."""
    if "matrix" in definition:
        return {f"@{candidate}": {"item": {"candidate": candidate}} for candidate in params["candidates"]}
    if "foreach" not in definition:
        return {"": {}}
    section = definition["foreach"].strip("${}")
    items = look_up(params, section)
    if items is None:
        raise ConfigError(f"params.yaml has no {section}, which stage {name} is defined for")
    return {f"@{candidate}": {"key": candidate, "item": item} for candidate, item in items.items()}


def fill_template(text: str, values: Mapping[str, Any]) -> str:
    """Replace each `${dotted.key}` by its value."""
    return re.sub(r"\$\{([\w.]+)\}", lambda match: str(look_up(values, match[1])), text)


def look_up(values: Any, key: str) -> Any:
    """Return the value of a dotted key in nested mappings; None if it does not exist."""
    for word in key.split("."):
        values = values.get(word) if isinstance(values, Mapping) else None
    return values


def parse_options(command: str) -> dict[str, str]:
    """Return the options of `gazette <stage> --option value …`."""
    words = shlex.split(command)[2:]
    return {
        option.removeprefix("--").replace("-", "_"): value
        for option, value in zip(words[::2], words[1::2], strict=True)
    }
