"""Lineage: what made a model, what two revisions differ in, and how sure both answers are."""
