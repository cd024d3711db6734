"""MLflow, and who is champion."""
