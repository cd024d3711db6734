"""Self-contained pages that make no request: a template in the report's frame, with its style and charts."""

import base64
import hashlib
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from prefect_dvc.core import atomic

from gazette.core.escape import tally
from gazette.evaluation.report.charts import Spec
from gazette.evaluation.report.rows import escape_hidden

_HERE = Path(__file__).parent
CHARTS = Path(".gazette/charts")  # Vega's libraries with draw.js, by the hash of what they are made from


def render(
    folder: Path, template: str, facts: dict[str, Any], charts: dict[str, Spec], filters: dict[str, Callable[..., Any]]
) -> str:
    """Render a template of a folder, which extends frame.html.j2. Its policy allows one script, by hash."""
    script = bundle_script()
    environment = Environment(
        loader=FileSystemLoader([folder, _HERE]),
        autoescape=True,
        finalize=lambda value: escape_hidden(value) if type(value) is str else value,  # Markup stays as it is
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"count": "{:,}".format, "tally": tally, "percent": "{:.1%}".format, **filters}
    return environment.get_template(template).render(
        facts,
        charts=charts,
        style=Markup((_HERE / "page.css").read_text(encoding="utf-8")),
        script=Markup(script),
        hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


@cache
def bundle_script() -> str:
    """Return Vega's libraries and draw.js as one script; bundling takes a second, so it is kept."""
    source = (_HERE / "draw.js").read_text(encoding="utf-8")
    name = hashlib.sha256(f"{version('vl-convert-python')}\n{source}".encode()).hexdigest()
    script = CHARTS / f"{name}.js"
    if not script.is_file():
        import vl_convert

        bundle = vl_convert.javascript_bundle(source).replace("</script", r"<\/script")
        atomic.write_text(script, bundle)
    return script.read_bytes().decode()
