"""The report: what the stages left, as one HTML page."""
