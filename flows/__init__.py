"""Gazette's flows, on prefect-dvc. They import no stage and know none by name."""

import os

from gazette.pipeline.variables import POLICY

os.environ |= POLICY  # a Prefect worker, which has an environment of its own, imports flows and starts stages
