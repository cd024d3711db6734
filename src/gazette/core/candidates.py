"""The candidates of `params.yaml`: trained from train rows alone, from a pretrained encoder, or by a teacher."""

from typing import Any

from prefect_dvc.core.errors import ConfigError


def list_candidates(
    candidates: list[str], pretrained: dict[str, dict[str, str]], teachers: dict[str, str]
) -> list[str]:
    """List the names of all candidates, in the order of preference."""
    return [*candidates, *pretrained["fine_tune"], *pretrained["linear_probe"], *teachers]


def all_candidates(params: dict[str, Any]) -> list[str]:
    """List the names of all candidates of `params.yaml`; raises ConfigError if it lacks a section of theirs."""
    if missing := [section for section in ("candidates", "pretrained", "teachers") if section not in params]:
        raise ConfigError(f"params.yaml has no section {', '.join(missing)}, which names candidates")
    return list_candidates(params["candidates"], params["pretrained"], params["teachers"])


def list_encoders(params: dict[str, Any]) -> list[str]:
    """List the encoders that candidates of `params.yaml` start from, sorted."""
    return sorted({encoder for kind in params.get("pretrained", {}).values() for encoder in kind.values()})
