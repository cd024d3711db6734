"""The report: the outputs of the stages as one HTML page."""
