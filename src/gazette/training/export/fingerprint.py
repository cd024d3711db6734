"""The fingerprint of a machine: what must be equal for equal inputs to give equal bytes."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

# Processor features by which TensorFlow, oneDNN and ONNX Runtime select kernels.
_FEATURES = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")
_PACKAGES = (
    "tensorflow", "keras", "numpy", "onnx", "tf2onnx", "onnxruntime", "tokenizers", "polars", "scipy", "threadpoolctl"
)  # fmt: skip


def fingerprint(threads: int, onednn: bool) -> dict[str, Any]:
    """Return system, processor features, threads, oneDNN, BLAS kernels, and versions of the packages that compute."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(encoding="utf-8").split() if cpuinfo.exists() else []
    blas = {f"{pool['internal_api']} {pool.get('architecture', '')}".strip() for pool in threadpool_info()}
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "features": [feature for feature in _FEATURES if feature in flags],
        "threads": threads,
        "onednn": onednn,
        "blas": sorted(blas),
        "packages": {name: version(name) for name in _PACKAGES},
    }
