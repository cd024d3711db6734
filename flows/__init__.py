"""When and where: Prefect around DVC. Knows no stage by name and imports none."""
