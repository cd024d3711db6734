"""Small corpora and a small bundle that several tests read."""

import gc
import os
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import flow_runs
import polars as pl
import prefect_homes
import pytest
import warm
from bridge_fixtures import dvc_project as dvc_project
from bridge_fixtures import flow as flow
from bridge_fixtures import warm_commands as warm_commands
from bridge_fixtures import wide as wide
from bundles import make_bundle
from generating import LABELS, generated
from hypothesis import settings
from prefect_dvc import git_environment
from root import ROOT

from gazette.pipeline import inheritance, variables

os.environ |= variables.POLICY  # as `gazette` and the flows set it
os.environ["DVC_NO_ANALYTICS"] = "1"  # or each `dvc` leaves a process behind that reports it
warm.PACKAGES[warm.STAGES] = [
    "great_expectations", "great_expectations.render.renderer.site_builder", "jinja2.ext", "py3langid.langid",
    "ftfy", "wcwidth", "pandera.polars", "pandera.backends.polars.container", "pandera.strategies.base_strategies",
    "hypothesis.strategies", "phonenumbers", "stdnum.iban", "stdnum.cn.uscc", "pyarrow.parquet", "tokenizers",
    "onnxruntime", "mlflow", "mlflow.pyfunc.loaders", "mlflow.pyfunc.model", "mlflow.pyfunc.scoring_server",
    "mlflow.tracing.provider", "mlflow.store.tracking.sqlalchemy_workspace_store",
    "mlflow.store.model_registry.sqlalchemy_workspace_store",
    "mlflow.utils.requirements_utils:_init_modules_to_packages_map", "opentelemetry.sdk.metrics.export", "tenacity",
    "alembic.command", "git", "sklearn.svm", "sklearn.metrics", "statsmodels.stats.multitest", "altair",
    "vl_convert",
    *warm.PACKAGES[warm.STAGES], "keras", "tf2onnx.convert", "tensorflow.saved_model.experimental",
]  # fmt: skip
warm.PACKAGES[warm.FLOWS] += [
    "mlflow", "mlflow.store.tracking.sqlalchemy_workspace_store", "pandera.polars", "pandera.backends.polars.container",
    "statsmodels.stats.multitest",
]  # fmt: skip
flow_runs.SEARCH_PATH.append(str(ROOT))
warm.PROGRAMS += ["gazette", "ask.py"]
warm.FLOW_MODULES += ["flows.", "from flows"]
warm.SETTINGS |= {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "TF_ENABLE_ONEDNN_OPTS": "1",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}

for _name in inheritance.read_at_start(os.environ):  # or a test that calls `main` would start pytest again
    del os.environ[_name]

git_environment.forget_caller()  # in a hook the tests would work on the repository of the hook

gc.set_threshold(20_000)  # as in our processes

settings.register_profile("gazette", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("gazette")


def pytest_configure(config: pytest.Config) -> None:
    """Start what the workers share before they start, since they import as much meanwhile."""
    if config.getoption("numprocesses", None) and not hasattr(config, "workerinput"):
        warm.share()
        prefect_homes.share()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the files that have most slow tests, so that no worker is left alone with one at the end."""
    slow = Counter(item.path for item in items if item.get_closest_marker("slow"))
    items.sort(key=lambda item: -slow[item.path])  # stable: a file's tests stay together, in their order


@pytest.fixture(scope="module", autouse=True)
def no_garbage() -> None:
    """Keep what is imported by now out of garbage collections, some of which libraries ask for at each call."""
    gc.collect()
    gc.freeze()


@pytest.fixture
def english() -> pl.DataFrame:
    return generated("en")


@pytest.fixture
def chinese() -> pl.DataFrame:
    return generated("zh")


@pytest.fixture
def table() -> Callable[..., pl.DataFrame]:
    """Makes articles of (text, label, split) rows; each stands on a line of its own in `all.csv`."""

    def make(*rows: tuple[str, str, str]) -> pl.DataFrame:
        columns = pl.DataFrame(rows, schema=["text", "label", "split"], orient="row")
        return columns.with_columns(file=pl.lit("all.csv"), line=pl.int_range(1, len(rows) + 1, dtype=pl.Int64))

    return make


@pytest.fixture
def lay_down(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Writes a CSV of articles and its description; the paths of both: (description, raw)."""

    def write(articles: pl.DataFrame, language: str = "en", extra: str = "") -> tuple[Path, Path]:
        raw = tmp_path / "raw"
        raw.mkdir()
        files = []
        for (split,), part in articles.group_by("split", maintain_order=True):
            content = part.select("label", "text").write_csv() + (extra if split == "train" else "")
            (raw / f"{split}.csv").write_text(content, encoding="utf-8")
            files.append(f"  {split}: [{{format: csv, path: {split}.csv, header: true, text: [text], label: label}}]")
        description = tmp_path / "tiny.yaml"
        labels = ", ".join(LABELS[language])
        head = f"language: {language}\nlabels: [{labels}]\nsource: made here\nterms: none\nfiles:\n"
        description.write_text(head + "\n".join(files) + "\n", encoding="utf-8")
        return description, raw

    return write


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A classifier that counts: the more often `goal` stands in a text than `bank`, the surer it is of sport."""
    return make_bundle(tmp_path)
