"""DVC's graph as a Prefect flow: `from prefect_dvc import dvc_flow`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from prefect_dvc.flows.flow import dvc_flow, pipeline
    from prefect_dvc.flows.scheduled import retrain, scheduled_dvc_flow

__version__ = "0.1.0"
__all__ = ["dvc_flow", "pipeline", "retrain", "scheduled_dvc_flow"]

_MODULES = {"dvc_flow": "flow", "pipeline": "flow", "scheduled_dvc_flow": "scheduled", "retrain": "scheduled"}


def __getattr__(name: str) -> Any:
    """Import Prefect and DVC only for a flow: they take seconds, and the rest of this package needs neither."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.flows.{_MODULES[name]}"), name)
