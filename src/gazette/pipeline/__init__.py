"""git, DVC and processes: the graph, what changed, running, repairing, publishing; no article and no model."""
