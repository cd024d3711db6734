"""A bill of materials in CycloneDX 1.7 with a model card (https://cyclonedx.org/docs/1.7/json/).

cyclonedx-python-lib has no class for a model card, so the JSON is written here; a test validates it by its schema.
"""

import uuid
from typing import Any

from gazette import __version__
from gazette.lineage.bom.facts import Facts, File, Metric, Reference
from gazette.lineage.bom.packages import Package
from gazette.registry import signing, statements

SCHEMA = "http://cyclonedx.org/schema/bom-1.7.schema.json"
KINDS = {statements.TAG: "attestation", statements.SIGNATURE: "digital-signature"}


def render_bom(facts: Facts) -> str:
    """Render the bill of materials; the same facts give the same text, and its serial number is derived from it."""
    data = _list_data(facts)
    packages = [_package(package) for package in facts.packages]
    model = _model(facts, [component["bom-ref"] for component in data])
    refs = sorted(component["bom-ref"] for component in [*data, *packages])
    bom = {
        "$schema": SCHEMA,
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "version": 1,
        "metadata": {
            **({"timestamp": facts.when} if facts.when else {}),
            "tools": {"components": [{"type": "application", "name": "gazette-news", "version": __version__}]},
            "component": model,
        },
        "components": [*data, *packages],
        "dependencies": [{"ref": model["bom-ref"], "dependsOn": refs}, *({"ref": ref} for ref in refs)],
    }
    serial = uuid.uuid5(uuid.NAMESPACE_URL, signing.text(bom))
    return signing.text(bom | {"serialNumber": f"urn:uuid:{serial}"})


def _model(facts: Facts, data: list[str]) -> dict[str, Any]:
    files = [
        {"type": "file", "bom-ref": f"file:{file.path}", "name": file.path, "hashes": _hashes(file)}
        for file in facts.bundle
    ]
    return {
        "type": "machine-learning-model",
        "bom-ref": f"model:{facts.model.digest}",
        "name": facts.name,
        "version": facts.version,
        "description": facts.use,
        "components": files,
        "externalReferences": [
            *map(_reference, facts.references),
            *({"type": "build-meta", "url": file.path, "hashes": _hashes(file)} for file in facts.locks),
        ],
        "modelCard": {
            "modelParameters": {
                "approach": {"type": "supervised"},
                "task": "text-classification",
                **({"architectureFamily": facts.family} if facts.family else {}),
                "modelArchitecture": str(facts.card["selected"] or "not recorded"),
                "datasets": [{"ref": ref} for ref in data],
                "inputs": [{"format": "text"}],
                "outputs": [{"format": "a probability for each class"}],
            },
            "quantitativeAnalysis": {"performanceMetrics": [_metric(metric) for metric in facts.metrics]},
            "considerations": {"useCases": [facts.use], "technicalLimitations": facts.limits},
            "properties": [_property(f"param:{key}", value) for key, value in facts.card["params"].items()],
        },
        "properties": [
            _property("digest", facts.model.digest),
            *(_property("revision", commit) for commit in facts.model.revisions[:1]),
            *(_property(f"stage:{name}", stage["hash"]) for name, stage in facts.model.stages.items()),
            *(
                _property(f"ledger:{entry['number']}", f"{entry['kind']}, {entry['when']}")
                for entry in facts.model.verdicts
            ),
        ],
    }


def _list_data(facts: Facts) -> list[dict[str, Any]]:
    """Return the raw data, with source and terms, and the splits that were made of them, as components."""
    description, raw = facts.card["description"], facts.model.raw
    about = {
        **({"description": description["source"]} if "source" in description else {}),
        **({"licenses": [{"license": {"name": description["terms"]}}]} if "terms" in description else {}),
    }
    components = []
    if raw:
        properties = [_property("dvc", raw["digest"]), _property("files", len(raw["files"]) or "unknown")]
        components.append(_data(raw["path"], properties) | about)
    for file in facts.data:
        properties = [_property("split", file.role), *([_property("rows", file.rows)] if file.rows is not None else [])]
        components.append(_data(file.path, properties) | {"hashes": _hashes(file)} | about)
    return components


def _data(path: str, properties: list[dict[str, str]]) -> dict[str, Any]:
    ref = f"data:{path}"
    return {
        "type": "data", "bom-ref": ref, "name": path, "data": [{"type": "dataset", "name": path}],
        "properties": properties,
    }  # fmt: skip


def _package(package: Package) -> dict[str, Any]:
    licensed = {"expression": package.license} if package.is_expression else {"license": {"name": package.license}}
    return {
        "type": "library", "bom-ref": package.purl, "name": package.name, "version": package.version,
        "purl": package.purl, **({"licenses": [licensed]} if package.license else {}),
    }  # fmt: skip


def _metric(metric: Metric) -> dict[str, Any]:
    return {
        "type": metric.name,
        "value": metric.value,
        **({"slice": metric.slice} if metric.slice else {}),
        **({"confidenceInterval": {"lowerBound": metric.low, "upperBound": metric.high}} if metric.low else {}),
    }


def _reference(reference: Reference) -> dict[str, Any]:
    hashes = [{"alg": "SHA-256", "content": reference.sha256}]
    return {"type": KINDS[reference.kind], "url": reference.url, "hashes": hashes}


def _hashes(file: File) -> list[dict[str, str]]:
    return [{"alg": name, "content": value} for name, value in file.hashes.items()]


def _property(name: str, value: object) -> dict[str, str]:
    return {"name": f"gazette:{name}", "value": str(value)}
