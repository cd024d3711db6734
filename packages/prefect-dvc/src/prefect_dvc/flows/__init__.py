"""Prefect around DVC: when and where stages run."""
