"""A bill of materials in SPDX 3.0.1, as JSON-LD, with the profiles AI and Dataset (https://spdx.github.io/spdx-spec/v3.0.1/).

Identifiers are derived from the facts, so the same facts give the same text.
"""

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from gazette import __version__
from gazette.lineage.bom.facts import Facts, File, Metric
from gazette.lineage.bom.packages import Package

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
PROFILES = ["core", "software", "simpleLicensing", "ai", "dataset"]
NO_ASSERTION = "expandedlicensing_NoAssertionLicense"
CREATION, EPOCH = "_:creation", "1970-01-01T00:00:00Z"  # the time is required, and a model without a commit has none
ALGORITHMS = {"MD5": "md5", "SHA-256": "sha256"}
USES = {"train": "trainedOn", "valid": "trainedOn", "test": "testedOn"}  # valid rows choose the candidate


@dataclass
class Graph:
    """Elements in order, each with an identifier below one that is derived from all facts."""

    base: str
    elements: list[dict[str, Any]] = field(default_factory=list)

    def add(self, kind: str, place: str, /, **fields: Any) -> str:
        """Add an element, without the fields that are empty, and return its identifier."""
        identifier = f"{self.base}#{place}"
        present = {key: value for key, value in fields.items() if value not in (None, "", [])}
        self.elements.append({"type": kind, "spdxId": identifier, "creationInfo": CREATION, **present})
        return identifier

    def relate(self, source: str, kind: str, targets: list[str]) -> None:
        """Add a relationship of an element to others, if there are any."""
        if targets:
            name = f"{source.partition('#')[2]}/{kind}"
            self.add("Relationship", name, **{"from": source}, relationshipType=kind, to=targets)

    def license(self, source: str, declared: str) -> None:
        """Add what an element declares as its license; nobody concluded another one."""
        self.relate(source, "hasDeclaredLicense", [declared])
        self.relate(source, "hasConcludedLicense", [NO_ASSERTION])


def render_bom(facts: Facts) -> str:
    """Render the bill of materials of a model."""
    records = json.dumps(asdict(facts), indent=2, sort_keys=True, ensure_ascii=False, default=str)  # a corpus has dates
    graph = Graph(f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, records)}")
    tool = graph.add("SoftwareAgent", "gazette", name=f"gazette-news {__version__}")
    model = _add_model(graph, facts, tool)
    _add_data(graph, facts, model, tool)
    _add_files(graph, facts, model)
    for package in facts.packages:
        graph.license(_add_package(graph, package), _expression(graph, package))
    names = [f"{graph.base}#package/{package.name}" for package in facts.packages]
    graph.relate(model, "dependsOn", names)
    elements = [element["spdxId"] for element in graph.elements]
    graph.add("SpdxDocument", "document", rootElement=[model], element=elements, profileConformance=PROFILES)
    creation = {
        "type": "CreationInfo", "@id": CREATION, "specVersion": "3.0.1", "created": facts.when or EPOCH,
        "createdBy": [tool],
    }  # fmt: skip
    document = {"@context": CONTEXT, "@graph": [creation, *graph.elements]}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _add_model(graph: Graph, facts: Facts, tool: str) -> str:
    author = facts.model.commit.get("author")
    model = graph.add(
        "ai_AIPackage",
        "model",
        name=facts.name,
        description=facts.use,
        suppliedBy=graph.add("Agent", "author", name=author) if author else tool,
        releaseTime=facts.when,
        externalIdentifier=[_identifier(facts.model.digest), *map(_identifier, facts.model.revisions[:1])],
        software_primaryPurpose="model",
        software_packageVersion=facts.version,
        software_downloadLocation=f"models:/{facts.name}/{facts.version}" if facts.model.versions else "",
        ai_domain=["news"],
        ai_typeOfModel=["supervised", "text classification", *([facts.family] if facts.family else [])],
        ai_informationAboutApplication=facts.use,
        ai_informationAboutTraining="; ".join(f"{name}: {stage['hash']}" for name, stage in facts.model.stages.items()),
        ai_limitation="\n".join(facts.limits),
        ai_hyperparameter=[_entry(key, value) for key, value in facts.card["params"].items()],
        ai_metric=[entry for metric in facts.metrics for entry in _metrics(metric)],
    )
    graph.license(model, NO_ASSERTION)
    return model


def _add_data(graph: Graph, facts: Facts, model: str, tool: str) -> None:
    """Add the raw data and the splits that were made of them, with their source and terms."""
    description, raw = facts.card["description"], facts.model.raw
    source, terms = description.get("source"), description.get("terms")
    declared = _custom_license(graph, "terms", terms) if terms else NO_ASSERTION
    about = {
        "originatedBy": [graph.add("Agent", "source", name=source) if source else tool],
        "builtTime": facts.when,
        "releaseTime": facts.when,
        "software_primaryPurpose": "data",
        "dataset_datasetType": ["text", "categorical"],
        "dataset_dataCollectionProcess": source,
    }
    if raw:
        files = [_identifier(raw["digest"])]
        place = f"dvc:{raw['path']}"
        origin = graph.add("dataset_DatasetPackage", "raw", name=raw["path"], externalIdentifier=files,
                           software_downloadLocation=place, **about)  # fmt: skip
        graph.license(origin, declared)
    splits = {file.role: _add_split(graph, file, about) for file in facts.data}
    for split in splits.values():
        graph.license(split, declared)
    if raw:
        graph.relate(origin, "ancestorOf", list(splits.values()))
    for use in dict.fromkeys(USES.values()):
        graph.relate(model, use, [split for role, split in splits.items() if USES[role] == use])


def _add_split(graph: Graph, file: File, about: dict[str, Any]) -> str:
    return graph.add(
        "dataset_DatasetPackage", file.role, name=file.path, verifiedUsing=_hashes(file),
        software_downloadLocation=f"dvc:{file.path}", dataset_datasetSize=file.rows,
        dataset_intendedUse=file.role, **about,
    )  # fmt: skip


def _add_files(graph: Graph, facts: Facts, model: str) -> None:
    """Add the files of the bundle, the locks that fix how it was made, and the statements about it."""
    files = [graph.add("software_File", f"bundle/{file.path}", name=file.path, verifiedUsing=_hashes(file),
                       software_primaryPurpose="model") for file in facts.bundle]  # fmt: skip
    locks = [graph.add("software_File", f"lock/{file.path}", name=file.path, verifiedUsing=_hashes(file),
                       software_primaryPurpose="manifest") for file in facts.locks]  # fmt: skip
    statements = [graph.add("software_File", f"{reference.kind}/{reference.sha256}", name=reference.url,
                            verifiedUsing=[_hash("sha256", reference.sha256)], software_primaryPurpose="evidence")
                  for reference in facts.references]  # fmt: skip
    graph.relate(model, "contains", files)
    graph.relate(model, "hasSpecification", locks)
    graph.relate(model, "hasEvidence", statements)


def _add_package(graph: Graph, package: Package) -> str:
    return graph.add(
        "software_Package", f"package/{package.name}", name=package.name, software_packageVersion=package.version,
        software_packageUrl=package.purl, software_primaryPurpose="library",
    )  # fmt: skip


def _expression(graph: Graph, package: Package) -> str:
    """Return the license of a package: an expression, a name that its authors use, or none."""
    if not package.license:
        return NO_ASSERTION
    if not package.is_expression:
        return _custom_license(graph, f"package/{package.name}", package.license)
    name = f"license/{package.license.replace(' ', '-')}"
    identifier = f"{graph.base}#{name}"
    if not any(element["spdxId"] == identifier for element in graph.elements):
        graph.add("simplelicensing_LicenseExpression", name, simplelicensing_licenseExpression=package.license)
    return identifier


def _custom_license(graph: Graph, name: str, text: str) -> str:
    """Add a license that is not on SPDX's list, with its text, and return the expression that refers to it."""
    content = graph.add("simplelicensing_SimpleLicensingText", f"{name}/text", simplelicensing_licenseText=text)
    reference = f"LicenseRef-{name.replace('/', '-')}"
    return graph.add(
        "simplelicensing_LicenseExpression", f"{name}/license", simplelicensing_licenseExpression=reference,
        simplelicensing_customIdToUri=[_entry(reference, content)],
    )  # fmt: skip


def _metrics(metric: Metric) -> list[dict[str, str]]:
    name = f"{metric.name} ({metric.slice})" if metric.slice else metric.name
    interval = [_entry(f"{name}, interval", f"{metric.low} to {metric.high}")] if metric.low else []
    return [_entry(name, metric.value), *interval]


def _entry(key: str, value: object) -> dict[str, str]:
    return {"type": "DictionaryEntry", "key": key, "value": str(value)}


def _identifier(value: str) -> dict[str, str]:
    """Return a digest of DVC's, or a commit, as an identifier; neither is the hash of one file."""
    return {"type": "ExternalIdentifier", "externalIdentifierType": "other", "identifier": value}


def _hashes(file: File) -> list[dict[str, str]]:
    return [_hash(ALGORITHMS[name], value) for name, value in file.hashes.items()]


def _hash(algorithm: str, value: str) -> dict[str, str]:
    return {"type": "Hash", "algorithm": algorithm, "hashValue": value}
