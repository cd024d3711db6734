"""Readers of raw files: CSV, JSON lines, Parquet, plain lines and folders of texts."""
