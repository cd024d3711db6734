"""Whether the report shows the present state; writing it takes longer than DVC needs to see that nothing changed."""

from pathlib import Path

from gazette.pipeline.dvclock import LOCK

_CODE = Path(__file__).parents[2]
_READ = [Path("params.yaml"), Path("dvc.yaml"), LOCK]


def report_path(paths: dict[str, dict[str, str]]) -> Path:
    """Return the path of the report, beside the metrics; `paths` are by stage and option."""
    return Path(paths["evaluate"]["metrics"]).with_name("report.html")


def is_fresh(page: Path, paths: dict[str, dict[str, str]]) -> bool:
    """Check whether the report is newer than all that it shows and than the code that writes it."""
    shown = {Path(path) for options in paths.values() for path in options.values() if Path(path).is_file()}
    code = [path for path in _CODE.rglob("*") if path.suffix in (".py", ".j2", ".css", ".js")]
    inputs = [path for path in {*shown, *_READ, *code} if path.is_file()]
    return page.is_file() and all(path.stat().st_mtime_ns < page.stat().st_mtime_ns for path in inputs)
