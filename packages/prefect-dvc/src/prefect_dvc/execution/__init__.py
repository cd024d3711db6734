"""A run of DVC's stages: what would run and why, each stage as a child, side by side. Knows no Prefect."""
