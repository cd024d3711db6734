"""The differences between two revisions: data, params, code, metrics, predictions."""
