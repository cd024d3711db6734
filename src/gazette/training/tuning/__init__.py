"""Hyperparameter search for a candidate: trained on train, scored on valid, shown as a patch of params.yaml."""
