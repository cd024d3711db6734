"""Prefect around DVC: when and where stages run. Imports no stage and knows none by name."""
