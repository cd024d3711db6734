"""The registry: versions in MLflow, and which one is champion."""
