"""The corpus contract: what is measured in a corpus before training, and what is expected of it."""
