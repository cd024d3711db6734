"""Use of a registered version."""
