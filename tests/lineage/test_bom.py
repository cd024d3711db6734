"""Bills of materials of a model: valid by the formats' own schemas, the same each time, and true to the records."""

import hashlib
import io
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import lineages
import pytest
from click.testing import CliRunner
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from lineages import Run
from spdx_python_model import v3_0_1 as spdx3

from gazette.cli.app import gazette
from gazette.lineage import trace
from gazette.lineage.bom import cyclonedx, facts, packages, spdx
from gazette.lineage.bom.packages import Package
from gazette.registry import resolve
from gazette.registry.store.model import RegisteredVersion

ARTICLES = [
    ("goal", "sport", "train"), ("share", "trade", "train"), ("match", "sport", "valid"), ("bank", "trade", "test"),
    ("cup", "sport", "test"),
]  # fmt: skip


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> trace.ModelLineage:
    """A committed run with slices, two statements, and a registered version."""
    monkeypatch.chdir(tmp_path)
    lineages.begin()
    lineages.commit(Run(ARTICLES))
    digest = trace.trace("HEAD").digest
    tags = {"digest": digest, "statement": "a" * 64, "signature": "b" * 64}
    version = RegisteredVersion("tiny", "1", digest, ["champion"], tags, "run1")
    monkeypatch.setattr(resolve, "list_registered", lambda _: ([version], ""))
    monkeypatch.setattr(packages, "_license", licensed)
    return trace.trace("HEAD")


def licensed(name: str, version: str) -> tuple[str, bool]:
    return {"keras": ("Apache License 2.0", False)}.get(name, ("MIT AND BSD-3-Clause", True))


def of_cyclonedx(model: trace.ModelLineage) -> dict[str, Any]:
    return dict(json.loads(cyclonedx.render_bom(facts.gather_facts(model))))


def of_spdx(model: trace.ModelLineage) -> list[dict[str, Any]]:
    return list(json.loads(spdx.render_bom(facts.gather_facts(model)))["@graph"])


def read_spdx(text: str) -> Any:
    """Read and write a document by SPDX's own classes, which refuse what its shapes do."""
    objects = spdx3.SHACLObjectSet()
    spdx3.JSONLDDeserializer().read(io.BytesIO(text.encode()), objects)
    spdx3.JSONLDSerializer().write(objects, io.BytesIO())
    return objects


def test_cyclonedx_is_valid_by_its_schema(model: trace.ModelLineage) -> None:
    text = cyclonedx.render_bom(facts.gather_facts(model))
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(text) is None
    wrong = text.replace('"machine-learning-model"', '"model"')
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(wrong) is not None


def test_spdx_is_valid_by_its_model_and_no_reference_is_left_open(model: trace.ModelLineage) -> None:
    text = spdx.render_bom(facts.gather_facts(model))
    assert read_spdx(text).missing_ids == set()
    for right, wrong in (('"sha256"', '"sha257"'), ('"trainedOn"', '"learnedOn"'), ('"specVersion": "3.0.1",', "")):
        with pytest.raises(ValueError, match=r"sha257|learnedOn|specVersion"):
            read_spdx(text.replace(right, wrong))


@pytest.mark.parametrize("render", [cyclonedx.render_bom, spdx.render_bom], ids=["cyclonedx", "spdx"])
def test_the_same_records_give_the_same_bytes(
    model: trace.ModelLineage, render: Callable[[facts.Facts], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = render(facts.gather_facts(model))
    assert render(facts.gather_facts(trace.trace("HEAD"))) == text
    monkeypatch.setattr(packages, "_license", lambda *_: ("", False))
    assert render(facts.gather_facts(model)) != text


def test_every_hash_is_that_of_a_file(model: trace.ModelLineage) -> None:
    """Hashes of the bundle, the splits and the locks are computed again; those of statements are the version's tags."""
    bom = of_cyclonedx(model)
    component = bom["metadata"]["component"]
    references = [part for part in component["externalReferences"] if part["type"] == "build-meta"]
    places = {part["name"]: f"models/selected/{part['name']}" for part in component["components"]}
    parts = [*component["components"], *bom["components"], *({"name": part["url"]} | part for part in references)]
    stated = {part["name"]: part["hashes"] for part in parts if "hashes" in part}
    assert set(stated) == {"bundle.json", "data/clean/train.parquet", "data/clean/valid.parquet",
                            "data/clean/test.parquet", "dvc.lock", "params.yaml", "requirements.lock"}  # fmt: skip
    for name, hashes in stated.items():
        content = Path(places.get(name, name)).read_bytes()
        for entry in hashes:
            kind = entry["alg"].replace("-", "").lower()
            assert hashlib.new(kind, content).hexdigest() == entry["content"], name
    attached = [part for part in component["externalReferences"] if part["url"] == "runs:/run1/statements"]
    assert [(part["type"], part["hashes"][0]["content"][0]) for part in attached] == [
        ("attestation", "a"), ("digital-signature", "b"),
    ]  # fmt: skip


def test_a_model_card_has_data_terms_packages_and_figures_by_slice(model: trace.ModelLineage) -> None:
    bom = of_cyclonedx(model)
    component, parts = bom["metadata"]["component"], {part["name"]: part for part in bom["components"]}
    assert (component["name"], component["version"]) == ("tiny", "1")
    raw = parts["data/raw/tiny"]
    assert raw["description"] == "made here" and raw["licenses"] == [{"license": {"name": "nobody | may"}}]
    assert parts["data/clean/train.parquet"]["properties"][0] == {"name": "gazette:split", "value": "train"}
    assert parts["keras"]["purl"] == "pkg:pypi/keras@3.15.1"
    assert parts["keras"]["licenses"] == [{"license": {"name": "Apache License 2.0"}}]
    metrics = component["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    assert metrics[0] == {"type": "accuracy", "value": "1.0",
                          "confidenceInterval": {"lowerBound": "1.0", "upperBound": "1.0"}}  # fmt: skip
    assert {"type": "recall", "value": "1.0", "slice": "class: sport"} in metrics
    limits = component["modelCard"]["considerations"]["technicalLimitations"]
    assert limits[0] == facts.EVALUATED
    assert limits[1:] == [f"Weak link, {link['link']}: {link['why']}" for link in model.weak] != []
    model_deps = next(entry for entry in bom["dependencies"] if entry["ref"] == component["bom-ref"])
    assert (
        "pkg:pypi/keras@3.15.1" in model_deps["dependsOn"]
        and "data:data/clean/train.parquet" in model_deps["dependsOn"]
    )


def test_spdx_relates_the_model_to_its_data_files_and_licenses(model: trace.ModelLineage) -> None:
    graph = of_spdx(model)
    names = {element["spdxId"]: element.get("name") for element in graph if "spdxId" in element}
    related = {(names.get(entry["from"]), entry["relationshipType"]): [names.get(to, to) for to in entry["to"]]
               for entry in graph if entry["type"] == "Relationship"}  # fmt: skip
    assert related["tiny", "trainedOn"] == ["data/clean/train.parquet", "data/clean/valid.parquet"]
    assert related["tiny", "testedOn"] == ["data/clean/test.parquet"]
    assert related["tiny", "contains"] == ["bundle.json"]
    assert related["tiny", "hasEvidence"] == ["runs:/run1/statements"] * 2
    assert related["data/raw/tiny", "ancestorOf"] == [f"data/clean/{split}.parquet" for split in facts.SPLITS]
    packages = [element for element in graph if element["type"] in ("ai_AIPackage", "dataset_DatasetPackage")]
    for package in packages:  # what the two profiles require beyond the shapes
        for kind in ("hasDeclaredLicense", "hasConcludedLicense"):
            assert len(related[package["name"], kind]) == 1
        required = {"releaseTime", "software_downloadLocation", "software_primaryPurpose"}
        more = (
            {"suppliedBy", "software_packageVersion"}
            if package["type"] == "ai_AIPackage"
            else {"originatedBy", "builtTime"}
        )
        assert required | more <= package.keys()
    terms = [element["simplelicensing_licenseText"] for element in graph if "simplelicensing_licenseText" in element]
    assert terms == ["nobody | may", "Apache License 2.0"]


def test_slices_of_the_report_become_figures(model: trace.ModelLineage, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [{"slice": "length", "value": "long", "rows": "9", "accuracy": "0.9"}]
    monkeypatch.setattr(facts.card, "read_slices", lambda _: rows)
    figure = {"type": "accuracy", "value": "0.9", "slice": "length: long"}
    assert (
        figure
        in of_cyclonedx(model)["metadata"]["component"]["modelCard"]["quantitativeAnalysis"]["performanceMetrics"]
    )
    (element,) = [element for element in of_spdx(model) if element["type"] == "ai_AIPackage"]
    assert {"type": "DictionaryEntry", "key": "accuracy (length: long)", "value": "0.9"} in element["ai_metric"]


def test_a_corpus_with_dates_has_a_valid_bill_too(model: trace.ModelLineage) -> None:
    with Path("data/corpora/tiny.yaml").open("a") as description:
        description.write("until: 2026-11-30\n")
    subprocess.run(["git", "commit", "-q", "-a", "--amend", "--no-edit"], check=True)
    dated = trace.trace_digest(model.digest, "tiny")
    text = cyclonedx.render_bom(facts.gather_facts(dated))
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(text) is None
    assert read_spdx(spdx.render_bom(facts.gather_facts(dated))).missing_ids == set()


def test_a_version_without_a_commit_has_a_valid_bill_too(
    model: trace.ModelLineage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resolve, "list_revisions", lambda _: [])
    bare = trace.trace_digest(model.digest, "tiny")
    assert bare.revisions == []
    text = cyclonedx.render_bom(facts.gather_facts(bare))
    assert JsonStrictValidator(SchemaVersion.V1_7).validate_str(text) is None
    assert read_spdx(spdx.render_bom(facts.gather_facts(bare))).missing_ids == set()


def test_a_statement_here_on_the_revision_is_named_with_its_hash(model: trace.ModelLineage) -> None:
    commit = subprocess.run(["git", "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    definition = {"buildType": "urn:gazette:pipeline:1", "resolvedDependencies": [{"digest": {"gitCommit": commit}}]}
    Path("statements").mkdir()
    statement = Path("statements/tiny.json")
    record = {"predicateType": "https://slsa.dev/provenance/v1", "predicate": {"buildDefinition": definition}}
    statement.write_text(json.dumps(record))
    foreign = record | {"predicate": {"buildDefinition": definition | {"buildType": "x"}}}
    Path("statements/foreign.json").write_text(json.dumps(foreign))
    references = of_cyclonedx(model)["metadata"]["component"]["externalReferences"]
    sha256 = hashlib.sha256(statement.read_bytes()).hexdigest()
    assert [part["hashes"][0]["content"] for part in references if part["url"].startswith("statements/")] == [sha256]


def test_the_license_of_a_package_is_what_the_installed_one_states() -> None:
    from importlib.metadata import version

    (numpy,) = packages.list_packages({"numpy": version("numpy")})
    assert numpy.is_expression and "BSD-3-Clause" in numpy.license
    assert packages.list_packages({"numpy": "0.0.1"}) == [Package("numpy", "0.0.1")]


@pytest.mark.parametrize("form", ["cyclonedx", "spdx"])
def test_the_command_writes_a_bill(model: trace.ModelLineage, form: str) -> None:
    result = CliRunner().invoke(gazette, ["card", "HEAD", "--format", form, "--to", "bom.json"], catch_exceptions=False)
    assert (result.exit_code, result.output) == (0, "bom.json\n")
    assert json.loads(Path("bom.json").read_text())
