"""Looking for labels that are likely wrong."""
