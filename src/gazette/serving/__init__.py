"""A registered version in use."""
