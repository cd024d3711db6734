"""Answering over HTTP: one parent that follows the registry, and workers that answer."""
