"""The command line: what a person types, and the stages that `dvc.yaml` calls."""
