"""Erasure: where an article lives, which versions learned from it, and its removal from everywhere but models."""
