"""Evidently's or NannyML's defaults on a stream that replay.py has answered by one classifier throughout.

    uv venv evidently && uv pip install --python evidently evidently==0.7.23
    evidently/bin/python benchmarks/replay_rivals.py evidently replay/labels

Each needs an environment of its own: their dependencies are not those of Gazette. Prints the windows of four weeks that
alarm. Both compare with the test split of the months before the first live one.
"""

import argparse
import os
from pathlib import Path

import pandas as pd

WEEKS = 4  # of a window


def evidently(reference: pd.DataFrame, live: pd.DataFrame) -> dict[str, list[int]]:
    """Return the steps in which a column drifts, and those in which half of them do, by the default tests."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.presets import DataDriftPreset

    columns = ["predicted", "confidence", "words"]
    kinds = DataDefinition(categorical_columns=["predicted"], numerical_columns=["confidence", "words"])
    before, any_column, half = Dataset.from_pandas(reference[columns], kinds), [], []
    for step, rows in live.groupby("step"):
        run = Report([DataDriftPreset()]).run(Dataset.from_pandas(rows[columns], kinds), before).dict()
        count = next(metric["value"] for metric in run["metrics"] if "DriftedColumnsCount" in metric["metric_name"])
        any_column += [int(step)] if count["count"] else []
        half += [int(step)] if count["share"] >= 0.5 else []
    return {"any of three columns": any_column, "half of the columns": half}


def nannyml(reference: pd.DataFrame, live: pd.DataFrame) -> dict[str, list[int]]:
    """Return the steps in which a column drifts, and those in which CBPE's estimate of accuracy is out of bounds."""
    import nannyml as nml

    scores = {column.removeprefix("p_"): column for column in live if column.startswith("p_")}
    size = int(live.groupby("step").size().median())
    drift = nml.UnivariateDriftCalculator(
        column_names=["predicted", "confidence", "words"], treat_as_categorical=["predicted"], chunk_size=size
    ).fit(reference)
    alarms = drift.calculate(live).filter(period="analysis").to_df()
    estimator = nml.CBPE(
        y_pred_proba=scores, y_pred="predicted", y_true="label", metrics=["accuracy"], chunk_size=size,
        problem_type="classification_multiclass",
    ).fit(reference)  # fmt: skip
    estimate = estimator.estimate(live).filter(period="analysis").to_df()
    flags = [alarms[column] for column in alarms if column[-1] == "alert"]
    out = estimate[("accuracy", "alert")]
    return {
        "any of three columns": [step for step in range(len(alarms)) if any(flag[step] for flag in flags)],
        "CBPE": [step for step in range(len(out)) if out[step]],
    }


def main() -> None:
    """Print the steps that alarm, by kind of alarm."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rival", choices=["evidently", "nannyml"])
    parser.add_argument("stream", type=Path)
    options = parser.parse_args()
    os.environ["NML_DISABLE_USAGE_LOGGING"] = "1"  # NannyML reports its use to a server otherwise
    reference, live = (pd.read_parquet(options.stream / f"{name}.parquet") for name in ("reference", "never"))
    live["step"] //= WEEKS
    tool = {"evidently": evidently, "nannyml": nannyml}[options.rival]
    for kind, steps in tool(reference, live).items():
        print(f"{options.rival}, {kind}: {len(steps)} of {live['step'].nunique()} windows: {steps}")


if __name__ == "__main__":
    main()
