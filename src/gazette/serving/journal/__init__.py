"""The journal of predictions: what was answered, by which version, when; never a text beyond a masked sample."""
