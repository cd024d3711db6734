"""Labeled news goes in; a registered classifier comes out, with proof of what made it."""

__version__ = "0.1.0"
