"""Small numbers for every family of networks, which learn in a second."""

from typing import Any

TOKENS = {"tokens": "words", "vocabulary": 200, "min_count": 1, "length_quantile": 1.0, "length_cap": 30}
STEPS = {
    "optimizer": "adam",
    "learning_rate": 0.01,
    "schedule": "constant",
    "clip_norm": 0.0,
    "batch": 16,
    "epochs": 12,
    "patience": 12,
    "class_weights": False,
    "label_smoothing": 0.0,
    "l1": 0.0,
    "l2": 0.0,
    "dropout": 0.0,
}
FAMILIES: dict[str, dict[str, Any]] = {
    "linear": {
        "ngrams": 3, "buckets": 512, "min_rows": 1, "table_rows": 700, "smoothing": 1.0,
        "class_weights": False, "cost": 1.0,
    },
    "mlp": {**STEPS, "embedding": 8, "hidden": [8], "activation": "relu"},
    "cnn": {**STEPS, "embedding": 8, "filters": 8, "widths": [2, 3], "activation": "relu"},
    "lstm": {**STEPS, "embedding": 8, "units": [8, 4], "bidirectional": False, "activation": "tanh"},
    "average": {
        **STEPS, "embedding": 8, "ngrams": 3, "buckets": 512, "min_rows": 1, "table_rows": 700, "smoothing": 1.0,
        "word_dropout": 0.2,
    },
    "transformer": {
        **STEPS, "embedding": 8, "heads": 2, "blocks": 1, "feed_forward": 16, "positions": 40, "activation": "gelu"
    },
}  # fmt: skip
LINEAR = {
    "family": "linear", "tokens": "words", "vocabulary": 200, "min_count": 1, "length_quantile": 1.0, "length_cap": 30,
    "ngrams": 2, "buckets": 512, "min_rows": 1, "table_rows": 600, "smoothing": 1.0,
    "class_weights": False, "cost": 1.0,
}  # fmt: skip
