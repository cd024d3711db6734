"""MLflow's client: the address of the registry, its runs, versions and aliases, and retries."""
