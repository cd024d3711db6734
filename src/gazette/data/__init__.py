"""A stranger's files into clean splits."""
