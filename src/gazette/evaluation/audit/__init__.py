"""The audit: which labels are likely wrong."""
