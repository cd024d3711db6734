"""The OpenAPI document is true: schemathesis sends what it allows and what it does not; the answers are as it says."""

import itertools

import pytest
import schemathesis
from bundles import make_bundle
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis import Case, GenerationMode
from schemathesis.checks import negative_data_rejection, positive_data_acceptance
from workers import make_worker

from gazette.serving.online.app import build
from gazette.serving.online.edge import Edge

BEYOND = [positive_data_acceptance, negative_data_rejection]  # limits and shapes of which JSON Schema cannot speak
POSTS = (
    "/v1/predict",
    "/v1/feedback",
    "/invocations",
    "/v2/models/{name}/infer",
    "/v2/models/{name}/versions/{version}/infer",
)
GETS = ("/health/live", "/health/ready", "/v2", "/v2/health/live", "/v2/health/ready")


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> schemathesis.BaseSchema:
    worker = make_worker(tmp_path_factory.mktemp("worker"), make_bundle(tmp_path_factory.mktemp("model")))
    return schemathesis.openapi.from_asgi("/openapi.json", Edge(build(worker), worker))


@pytest.mark.parametrize(
    ("path", "mode"),
    [*itertools.product(POSTS, GenerationMode), *((path, GenerationMode.POSITIVE) for path in GETS)],
)
def test_every_answer_is_as_the_document_says(
    document: schemathesis.BaseSchema, path: str, mode: GenerationMode, capfd: pytest.CaptureFixture[str]
) -> None:
    operation = document[path]["POST" if path in POSTS else "GET"]

    @seed(0)
    @settings(
        max_examples=30 if path in POSTS else 1,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=operation.as_strategy(generation_mode=mode))
    def ask(case: Case) -> None:
        response = case.call()
        assert response.status_code < 500, response.text
        case.validate_response(response, excluded_checks=BEYOND)

    ask()
    assert "Traceback" not in capfd.readouterr().err


def test_the_document_has_every_route_that_answers_about_texts(document: schemathesis.BaseSchema) -> None:
    assert set(document) == {*POSTS, *GETS}
    assert document["/v1/predict"]["POST"].definition.raw["requestBody"]["required"]
