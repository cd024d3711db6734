"""MLflow's client: where the registry is, its runs, versions and aliases."""
