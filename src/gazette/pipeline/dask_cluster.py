"""Which Dask cluster to use: the one at DASK_SCHEDULER, or one started for a run."""

import logging
import os
from typing import Any


def cluster_options(workers: int) -> dict[str, Any]:
    """Return the `address` of the cluster at DASK_SCHEDULER, or the options of a local one with `workers` workers."""
    logging.getLogger("distributed").setLevel(logging.WARNING)
    if address := os.environ.get("DASK_SCHEDULER"):
        return {"address": address}
    return {"n_workers": workers, "threads_per_worker": 1, "dashboard_address": None}
