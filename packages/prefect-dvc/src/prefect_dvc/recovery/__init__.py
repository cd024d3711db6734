"""Repair of what a killed run leaves behind, before the next run."""
