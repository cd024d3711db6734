"""The machine's fingerprint: what must be equal for equal inputs to give equal bytes."""

import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_info

# Features that choose a kernel in TensorFlow, oneDNN and ONNX Runtime.
_FEATURES = ("avx", "avx2", "fma", "avx512f", "avx512_vnni", "avx512_bf16", "amx_tile")
_PACKAGES = (
    "tensorflow",
    "keras",
    "numpy",
    "onnx",
    "tf2onnx",
    "onnxruntime",
    "tokenizers",
    "polars",
    "scipy",
    "threadpoolctl",
)


def fingerprint(threads: int, onednn: bool) -> dict[str, Any]:
    """System, processor features, threads, oneDNN, the kinds of BLAS kernels, versions of the packages that compute."""
    cpuinfo = Path("/proc/cpuinfo")
    flags = cpuinfo.read_text(encoding="utf-8").split() if cpuinfo.exists() else []
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "features": [feature for feature in _FEATURES if feature in flags],
        "threads": threads,
        "onednn": onednn,
        "blas": sorted({f"{one['internal_api']} {one.get('architecture', '')}".strip() for one in threadpool_info()}),
        "packages": {name: version(name) for name in _PACKAGES},
    }
