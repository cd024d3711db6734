"""A worker: two callers, a canary's share, a shadow, a swap that fails."""

import asyncio
import hashlib
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from workers import make_served, make_worker, served_by

from gazette.serving.online import roster
from gazette.serving.online.roster import Roster
from gazette.serving.online.settings import Limits
from gazette.serving.online.worker import RETRY_SECONDS, is_canary


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def test_a_caller_that_asks_too_often_does_not_hinder_another(tmp_path: Path, bundle: Path) -> None:
    tokens = tuple(hashlib.sha256(token.encode()).hexdigest() for token in ("one", "two"))
    worker = make_worker(tmp_path, bundle, tokens=tokens, limits=Limits(requests_per_second=1))
    with served_by(worker) as client:
        first = [client.post("/v1/predict", json={"texts": ["a"]}, headers=bearer("one")) for _ in range(3)]
        second = client.post("/v1/feedback", json={"text": "a", "label": "trade"}, headers=bearer("two"))
    assert [answer.status_code for answer in first] == [200, 429, 429] and second.status_code == 200
    (file,) = (tmp_path / "feedback").iterdir()
    assert f'"who": "{tokens[1][:12]}"' in file.read_text()


def test_a_canary_gets_its_share_and_the_same_request_the_same_version(tmp_path: Path, bundle: Path) -> None:
    assert sum(is_canary(str(number), 0.05) for number in range(20_000)) == pytest.approx(1000, abs=100)
    worker = make_worker(tmp_path, bundle, make_served(bundle, "4"), canary_share=0.5)
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["goal"]}
    with served_by(worker) as client:

        def ask(path: str, record: dict[str, Any], number: int) -> str:
            answer = client.post(path, json=record, headers={"X-Request-Id": str(number)})
            assert answer.status_code == 200
            return str(answer.headers["gazette-version"])

        versions = [ask("/v1/predict", {"texts": ["goal"]}, number) for number in range(40)]
        assert {version: versions.count(version) > 8 for version in versions} == {"3": True, "4": True}
        assert versions == [ask("/v1/predict", {"texts": ["goal"]}, number) for number in range(40)]
        assert {ask("/v2/models/tiny/versions/3/infer", {"inputs": [tensor]}, number) for number in range(40)} == {"3"}


def test_a_swap_that_fails_is_tried_again_and_the_last_version_answers_meanwhile(tmp_path: Path, bundle: Path) -> None:
    worker = make_worker(tmp_path, bundle)
    second = tmp_path / "second"
    shutil.copytree(bundle, second)
    served = replace(make_served(second, "4"), since="later")
    file = second / "model.onnx"
    content = file.read_bytes()

    async def swap() -> list[str]:
        watching = asyncio.create_task(worker.watch())
        file.write_bytes(b"damaged")
        roster.write(tmp_path, Roster(served))
        await asyncio.sleep(0.5)
        versions = [(await worker.answer(["goal"], "1")).model.served.version]
        file.write_bytes(content)
        await asyncio.sleep(RETRY_SECONDS + 0.5)
        versions.append((await worker.answer(["goal"], "2")).model.served.version)
        watching.cancel()
        return versions

    assert asyncio.run(swap()) == ["3", "4"]
