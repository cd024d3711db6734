"""How good, how different, good enough."""
