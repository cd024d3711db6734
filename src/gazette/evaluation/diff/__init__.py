"""What differs between two revisions: data, params, code, metrics, predictions."""
