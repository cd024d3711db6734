"""The candidates of `params.yaml`: those that `train` makes of train rows alone, and those under `further`."""

from typing import Any


def listed(candidates: list[str], further: dict[str, dict[str, str]]) -> list[str]:
    """The names of all candidates, in the order of preference."""
    return [*candidates, *(name for made in further.values() for name in made)]


def encoders(params: dict[str, Any]) -> list[str]:
    """The encoders that candidates begin with, by name, of the whole of `params.yaml`."""
    further = params.get("further", {})
    return sorted({name for kind in ("fine_tuned", "frozen") for name in further.get(kind, {}).values()})


def of(params: dict[str, Any]) -> list[str]:
    """The same, of the whole of `params.yaml`, old ones without `further` included."""
    return listed(params["candidates"], params.get("further", {}))
