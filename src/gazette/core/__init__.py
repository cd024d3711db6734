"""Shared by all stages: errors, small files, the table of articles, corpus descriptions, bundles, metrics."""
