"""The families of networks, and how they learn."""
