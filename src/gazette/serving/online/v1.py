"""Gazette's own contract: `POST /v1/predict` and `POST /v1/feedback`, and the records of its OpenAPI document."""

import unicodedata
from codecs import BOM_UTF8
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, Field, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gazette.core.arrays import Array
from gazette.serving.online import responses
from gazette.serving.online.body import RequestError, check_texts, read_body
from gazette.serving.online.engine import Result
from gazette.serving.online.worker import Worker

Body = TypeVar("Body", bound=BaseModel)

EXPLAINED = 16  # texts of a request; one costs as much as up to some hundred answers


class PredictRequest(BaseModel, extra="forbid"):
    """Texts to label, and how much to say of each."""

    texts: Annotated[list[str], Field(min_length=1, examples=[["Shares fell after the bank cut its forecast."]])]
    top: int = Field(1, ge=1, description="How many labels of each text, the most probable first.")
    min_confidence: float = Field(0.0, ge=0, le=1, description="Below this probability the answer is no label.")
    explain: bool = Field(False, description="Say what each word adds to each label, if there is time.")


class FeedbackRequest(BaseModel, extra="forbid"):
    """The label that a text should have had."""

    text: Annotated[str, Field(min_length=1, examples=["Shares fell after the bank cut its forecast."])]
    label: Annotated[str, Field(examples=["business"])]


class FeedbackResponse(BaseModel):
    """What was written down, without the text."""

    request_id: str
    label: str
    predicted: str
    digest: str


class Label(BaseModel):
    """A label and its probability."""

    label: str
    probability: float


class Word(BaseModel):
    """Characters `start` to `end` of a text, and what they add to the score of each label."""

    start: int
    end: int
    scores: dict[str, float]


class Why(BaseModel):
    """What each word adds; `exact` if bias and scores sum to the label's centered log-odds."""

    exact: bool
    bias: dict[str, float]
    words: list[Word]


class Prediction(BaseModel):
    """The label of a text, or none if it abstained; the most probable labels; why, if asked and in time."""

    label: str | None
    abstained: bool
    probability: float
    labels: list[Label]
    explanation: Why | None = None


class Speaker(BaseModel):
    """The version that answered: its bundle's digest, and the ledger entry that made it champion."""

    name: str
    version: str
    digest: str
    ledger: str


class PredictResponse(BaseModel):
    """A prediction for each text, in the same order, and who made them."""

    request_id: str
    model: Speaker
    predictions: list[Prediction]


class Failure(BaseModel):
    """What was wrong with a request, and what to do."""

    detail: str


def routes(worker: Worker) -> list[Route]:
    """Return the routes."""

    async def predict(request: Request) -> Response:
        try:
            body = _parse(PredictRequest, await read_body(request, worker.settings.limits))
            texts = check_texts(body.texts, worker.settings.limits)
            if body.explain and len(texts) > EXPLAINED:
                raise RequestError(422, f"{len(texts)} texts to explain; at most {EXPLAINED} a request")
            request_id = request.scope["state"]["request_id"]
            result = await worker.answer(texts, request_id, body.explain)
        except responses.EXPECTED as error:
            return responses.failure(error)
        served = result.model.served
        predictions = describe(result, body)
        worker.metrics.abstentions.inc(sum(prediction["abstained"] for prediction in predictions))
        record = {"request_id": request_id, "model": served.speaker(), "predictions": predictions}
        return responses.answer(request, served, record, len(texts))

    async def feedback(request: Request) -> Response:
        state = request.scope["state"]
        try:
            body = _parse(FeedbackRequest, await read_body(request, worker.settings.limits))
            texts = check_texts([body.text], worker.settings.limits)
            _check_has_a_word(body.text)
            result = await worker.answer(texts, state["request_id"], record=False)  # it is no new traffic
            record = await worker.write_feedback(body.text, body.label, result, state["caller"])
        except responses.EXPECTED as error:
            return responses.failure(error)
        answer = {"request_id": state["request_id"], "label": record.label, "predicted": record.predicted}
        return responses.answer(request, result.model.served, answer | {"digest": record.digest}, 1)

    paths = {"/v1/predict": predict, "/v1/feedback": feedback}
    return [Route(path, route, methods=["POST"]) for path, route in paths.items()]


def _parse(model: type[Body], content: bytes) -> Body:
    try:
        return model.model_validate_json(content.removeprefix(BOM_UTF8))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        if first["type"] == "json_invalid":
            raise RequestError(400, f"expected a JSON object in UTF-8: {first['msg']}") from None
        raise RequestError(422, f"{where}: {first['msg']}" if where else first["msg"]) from None


def _check_has_a_word(text: str) -> None:
    """Raise RequestError (422) for a text that the row contract of a corpus rejects, see `core.articles`."""
    if "\0" in text:
        raise RequestError(422, "text: a NUL character")
    categories = (unicodedata.category(char) for char in text if char != "\ufffd")
    if not any(category[0] in "LN" or category == "So" for category in categories):
        raise RequestError(422, "text: no word; expected at least one letter, digit or symbol")


def describe(result: Result, body: PredictRequest) -> list[dict[str, Any]]:
    """Return a record for each text: its label and the `top` most probable ones."""
    labels = result.model.bundle.labels
    order = (-result.probabilities).argsort(axis=1, kind="stable")[:, : body.top]
    records = []
    for index, (best, row) in enumerate(zip(order, result.probabilities, strict=True)):
        record = _prediction(labels, best, row, body.min_confidence)
        if result.explanations:
            explanation = result.explanations[index]
            record["explanation"] = explanation.record() if explanation else None
        records.append(record)
    return records


def _prediction(labels: list[str], best: Array, row: Array, min_confidence: float) -> dict[str, Any]:
    top = [{"label": labels[index], "probability": round(float(row[index]), 6)} for index in best]
    probability = float(row[best[0]])
    abstained = probability < min_confidence
    return {
        "label": None if abstained else labels[best[0]],
        "abstained": abstained,
        "probability": round(probability, 6),
        "labels": top,
    }
