"""Errors with exit codes, atomic writes, escaping."""
