"""How good a classifier is, how it differs from another, and whether it is good enough."""
