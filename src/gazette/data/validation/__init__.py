"""The corpus contract: what is looked for in a corpus before anything is learned from it, and what is expected."""
