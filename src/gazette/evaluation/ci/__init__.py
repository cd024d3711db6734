"""Continuous integration: run a proposed change, judge it against its base, and write the comment."""
