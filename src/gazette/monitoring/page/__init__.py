"""What the monitor saw as one HTML page, in the frame of the report."""
