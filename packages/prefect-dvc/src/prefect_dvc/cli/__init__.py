"""The command `prefect-dvc`."""
