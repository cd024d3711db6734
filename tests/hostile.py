"""An environment in which every library has something set that would change a result or switch a check off."""

import json
from pathlib import Path

HOSTILE = {
    "PANDERA_VALIDATION_ENABLED": "False", "PANDERA_VALIDATION_DEPTH": "SCHEMA_ONLY", "KERAS_BACKEND": "jax",
    "KERAS_MAX_EPOCHS": "1", "TF_XLA_FLAGS": "--tf_xla_auto_jit=2 --tf_xla_cpu_global_jit", "TF_USE_LEGACY_KERAS": "1",
    "TF_SET_ONEDNN_FPMATH_MODE": "BF16", "ONEDNN_DEFAULT_FPMATH_MODE": "BF16", "ONEDNN_MAX_CPU_ISA": "SSE41",
    "TENSORFLOW_USE_CUSTOM_CONTRACTION_KERNEL": "0", "OPENBLAS_CORETYPE": "Prescott", "OPENBLAS_NUM_THREADS": "3",
    "NPY_DISABLE_CPU_FEATURES": "AVX2", "NPY_PROMOTION_STATE": "legacy", "SKLEARN_ASSUME_FINITE": "1",
    "SCIPY_ARRAY_API": "1", "POLARS_ENGINE_AFFINITY": "streaming", "POLARS_MAX_EXPR_DEPTH": "1",
    "ORT_DISABLE_ALL": "1", "TOKENIZERS_PARALLELISM": "maybe", "ARROW_USER_SIMD_LEVEL": "NONE", "MPLBACKEND": "none",
    "MLFLOW_EXPERIMENT_NAME": "theirs", "MLFLOW_RUN_ID": "0", "MLFLOW_REGISTRY_URI": "file:///nowhere",
    "DASK_SCHEDULER_ADDRESS": "tcp://192.0.2.1:8786", "PREFECT_TEST_MODE": "1", "GX_CLOUD_MODE": "true",
    "DVC_TEST": "1", "OPTUNA_STORAGE": "sqlite:///theirs.db", "PYTHONHASHSEED": "3", "LC_ALL": "tr_TR.ISO-8859-9",
    "TZ": "Asia/Kathmandu", "OMP_NUM_THREADS": "3", "POLARS_MAX_THREADS": "1", "RAYON_NUM_THREADS": "1",
}  # fmt: skip
PASSED = {"LC_ALL", "TZ", "OMP_NUM_THREADS", "POLARS_MAX_THREADS", "RAYON_NUM_THREADS"}


def make_home(folder: Path) -> dict[str, str]:
    """Write configuration of libraries into a home; returns the variables that name it."""
    keras = folder / ".keras" / "keras.json"
    keras.parent.mkdir(parents=True)
    settings = {"floatx": "float64", "epsilon": 0.1, "backend": "jax", "image_data_format": "channels_first"}
    keras.write_text(json.dumps(settings))
    dask = folder / ".config" / "dask" / "theirs.yaml"
    dask.parent.mkdir(parents=True)
    dask.write_text("scheduler-address: tcp://192.0.2.1:8786\n")
    return {"HOME": str(folder), "KERAS_HOME": str(keras.parent)}
