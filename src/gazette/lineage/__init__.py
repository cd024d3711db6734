"""Lineage: what made a model, which models saw a file, and whether a revision can be reproduced."""
