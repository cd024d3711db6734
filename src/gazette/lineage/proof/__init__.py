"""Proof: what a stage was made from, whether a revision makes the same bytes again, and statements of both."""
