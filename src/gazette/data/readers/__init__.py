"""Raw files, row by row: what a file holds, what of it had to be rejected, and where each row stands."""
