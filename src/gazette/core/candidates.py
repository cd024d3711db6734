"""The candidates of `params.yaml`: trained from scratch, from a pretrained encoder, or distilled from a teacher."""

from typing import Any


def list_candidates(
    candidates: list[str], pretrained: dict[str, dict[str, str]], teachers: dict[str, str]
) -> list[str]:
    """List the names of all candidates, in the order of preference."""
    return [*candidates, *pretrained["fine_tune"], *pretrained["linear_probe"], *teachers]


def all_candidates(params: dict[str, Any]) -> list[str]:
    """List the names of all candidates of `params.yaml`."""
    return list_candidates(params["candidates"], params["pretrained"], params["teachers"])


def list_encoders(params: dict[str, Any]) -> list[str]:
    """List the pretrained encoders that the candidates of `params.yaml` start from, sorted."""
    return sorted({encoder for kind in params["pretrained"].values() for encoder in kind.values()})
