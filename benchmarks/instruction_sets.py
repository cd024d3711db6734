"""Which settings make a candidate's bytes depend on the processor: each is capped in turn, and bytes are compared.

`python benchmarks/instruction_sets.py CANDIDATE… SETTING…`, all of them by default, after `dvc checkout`;
ten seconds to two minutes a line.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import h5py
import numpy as np
from ruamel.yaml import YAML

NUMPY = {"NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"}  # the names of numpy 2, which ignores older ones
SKYLAKE = {"OPENBLAS_CORETYPE": "SkylakeX"}  # what OpenBLAS selects on Intel processors with AVX512
LIBM = {"GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX2,-FMA,-FMA4"}
AVX2 = {"ONEDNN_MAX_CPU_ISA": "AVX2"}
EIGEN = {"TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "0"}  # matrix products by Eigen, not by oneDNN
OFF = {"onednn": False}
# A setting: the one it is compared with, keys of section `train`, the environment.
SETTINGS: dict[str, tuple[str, dict[str, bool | int], dict[str, str]]] = {
    "default": ("default", {}, {}),
    "again": ("default", {}, {}),
    "oneDNN at AVX512_CORE": ("default", {}, {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}),
    "oneDNN at AVX2": ("default", {}, AVX2),
    "oneDNN at SSE41": ("default", {}, {"ONEDNN_MAX_CPU_ISA": "SSE41"}),
    "numpy without AVX512": ("default", {}, NUMPY),
    "OpenBLAS as on Skylake": ("default", {}, SKYLAKE),
    "C library without AVX2, FMA": ("default", {}, LIBM),
    "one thread": ("default", {"threads": 1}, {}),
    "oneDNN off": ("oneDNN off", OFF, {}),
    "oneDNN off, at AVX2": ("oneDNN off", OFF, AVX2),
    "oneDNN off, Eigen": ("oneDNN off, Eigen", OFF, EIGEN),
    "oneDNN off, Eigen, at AVX2": ("oneDNN off, Eigen", OFF, EIGEN | AVX2),
    "oneDNN off, Eigen, all capped": ("oneDNN off, Eigen", OFF, EIGEN | AVX2 | NUMPY | LIBM),
    "AVX2": ("AVX2", {}, AVX2),
    "AVX2, C library capped": ("AVX2", {}, AVX2 | LIBM),
    "AVX2, numpy without AVX512": ("AVX2", {}, AVX2 | NUMPY),
}


def train(candidate: str, numbers: dict[str, bool | int], environment: dict[str, str], box: Path) -> float:
    """Train a candidate in `box`; return the seconds it took, start of Python included."""
    root = Path.cwd()
    yaml = YAML()
    params = yaml.load(root / "params.yaml")
    params["train"].update(numbers)
    yaml.dump(params, box / "params.yaml")
    data = root / "data"
    shutil.rmtree(box / "bundle", ignore_errors=True)
    words = ["train", "--candidate", candidate, "--description", data / "corpora" / f"{params['corpus']}.yaml"]
    words += ["--train", data / "clean/train.parquet", "--valid", data / "clean/valid.parquet"]
    words += ["--bundle", "bundle", "--curve", "curve.csv", "--score", "score.json", "--fingerprint", "machine.json"]
    began = time.monotonic()
    command = [sys.executable, "-m", "gazette", *map(str, words)]
    subprocess.run(command, cwd=box, env=os.environ | environment, check=True, capture_output=True)
    return time.monotonic() - began


def weights(path: Path) -> dict[str, np.ndarray]:
    """Return the arrays of a weights file by name."""
    arrays: dict[str, np.ndarray] = {}
    with h5py.File(path) as file:
        file.visititems(lambda name, item: arrays.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
    return arrays


def main(candidates: list[str], settings: list[str]) -> None:
    """Print a line per setting: seconds, equal files, largest difference of a weight."""
    for candidate in candidates:
        bases: dict[str, tuple[dict[str, np.ndarray], dict[str, bytes]]] = {}
        for name in settings:
            base, numbers, environment = SETTINGS[name]
            with tempfile.TemporaryDirectory() as folder:
                box = Path(folder)
                seconds = train(candidate, numbers, environment, box)
                files = {file.name: file.read_bytes() for file in [*(box / "bundle").iterdir(), box / "score.json"]}
                arrays = weights(box / "bundle/weights.h5")
            first, before = bases.setdefault(base, (arrays, files))
            same = [file for file in ("model.onnx", "weights.h5", "score.json") if files[file] == before[file]]
            largest = max(float(np.abs(arrays[key] - first[key]).max()) for key in arrays)
            equal = " ".join(same) or "nothing"
            print(f"{candidate} | {name} | {seconds:.1f} s | equal to {base}: {equal} | {largest:.2g}")
            sys.stdout.flush()


if __name__ == "__main__":
    words = sys.argv[1:]
    chosen = [word for word in words if word in SETTINGS]
    main([word for word in words if word not in SETTINGS] or ["linear", "cnn"], chosen or list(SETTINGS))
