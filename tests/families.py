"""Small settings for every family of networks, which train in a second."""

from typing import Any

from gazette.training.networks import learn

TOKENS = {"tokens": "words", "vocabulary": 200, "min_frequency": 1, "length_quantile": 1.0, "max_length": 30}
STEPS = {
    "optimizer": "adam",
    "learning_rate": 0.01,
    "schedule": "constant",
    "clipnorm": 0.0,
    "batch_size": 16,
    "epochs": 12,
    "patience": 12,
    "class_weight": None,
    "label_smoothing": 0.0,
    "l1": 0.0,
    "l2": 0.0,
    "dropout": 0.0,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "linear": {
        "ngrams": 3, "buckets": 512, "min_df": 1, "max_features": 700, "smoothing": 1.0,
        "class_weight": None, "C": 1.0,
    },
    "mlp": {**STEPS, "embedding": 8, "hidden": [8], "activation": "relu"},
    "cnn": {**STEPS, "embedding": 8, "filters": 8, "widths": [2, 3], "activation": "relu"},
    "lstm": {**STEPS, "embedding": 8, "units": [8, 4], "bidirectional": False, "activation": "tanh"},
    "average": {
        **STEPS, "embedding": 8, "ngrams": 3, "buckets": 512, "min_df": 1, "max_features": 700, "smoothing": 1.0,
        "word_dropout": 0.2,
    },
    "transformer": {
        **STEPS, "embedding": 8, "num_heads": 2, "num_layers": 1,
        "intermediate_dim": 16, "max_positions": 40, "activation": "gelu"
    },
}  # fmt: skip
SHARED = learn.Params(seed=1, threads=2, onednn=True, resamples=100, export_tolerance=1e-4)
LINEAR = {
    "family": "linear", "tokens": "words", "vocabulary": 200, "min_frequency": 1, "length_quantile": 1.0,
    "max_length": 30, "ngrams": 2, "buckets": 512, "min_df": 1, "max_features": 600, "smoothing": 1.0,
    "class_weight": None, "C": 1.0,
}  # fmt: skip
