"""A registry at a server with its files on S3, as a client that registers bundles sees it."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from links import Link
from prefect_dvc import hashing
from prefect_dvc.core.errors import ConfigError
from real_servers import ObjectStorage

from gazette.registry.store import client as registry

NAME = "faults"


@dataclass
class World:
    """A client of MLflow's server, whose files go straight to S3 over a link."""

    client: Any
    link: Link
    bundle: Path

    def change(self) -> str:
        """Make the bundle another one, and return its digest."""
        about = json.loads((self.bundle / "bundle.json").read_text())
        (self.bundle / "bundle.json").write_text(json.dumps(about | {"number": about.get("number", 0) + 1}))
        return hashing.dvc_hash(self.bundle)

    def register(self, between: Callable[[], object] = lambda: None) -> str:
        """Do what the stage does: log a run, then create a version, unless the bundle has one."""
        tags = {"digest": hashing.dvc_hash(self.bundle)}
        if number := registry.deduplicate(self.client, NAME, tags["digest"]):
            return number
        run: dict[str, Any] = {"experiment": NAME, "name": "linear", "metrics": {}, "files": [], "candidates": []}
        model = registry.log_run(registry.Run(tags=tags, examples=["goal"], **run), self.bundle)
        between()
        return registry.create_version(self.client, NAME, model, tags, "about")

    def count(self, digest: str) -> int:
        model = registry.get_model(self.client, NAME)
        return [version.digest for version in model.versions.values()].count(digest)

    def refused(self, cure: str, register: Callable[[], object] | None = None) -> str:
        """Register a new bundle, which must fail with the cure and leave no version; return its digest."""
        digest = self.change()
        with pytest.raises(ConfigError, match=cure) as ended:
            (register or self.register)()
        print(ended.value)
        assert ended.value.code == 2
        return digest


def make_key(storage: ObjectStorage) -> dict[str, str]:
    """Make a user of S3 and return its key."""
    iam = client_of("iam", storage)
    iam.create_user(UserName="team")
    key = iam.create_access_key(UserName="team")["AccessKey"]
    return {"AWS_ACCESS_KEY_ID": key["AccessKeyId"], "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"]}


def client_of(service: str, storage: ObjectStorage) -> Any:
    import boto3

    words = {"region_name": "us-east-1", "aws_access_key_id": "root", "aws_secret_access_key": "root"}
    return boto3.client(service, endpoint_url=storage.address, **words)


@contextmanager
def rights(storage: ObjectStorage, *actions: str) -> Iterator[None]:
    """Let the team do these actions alone; S3 checks it during the block."""
    statement = {"Effect": "Allow", "Action": actions or ["s3:ListAllMyBuckets"], "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    client_of("iam", storage).put_user_policy(UserName="team", PolicyName="team", PolicyDocument=policy)

    def check(after: str) -> None:
        headers = {"Content-Type": "text/plain"}
        urllib.request.urlopen(
            urllib.request.Request(f"{storage.address}/moto-api/reset-auth", after.encode(), headers)
        )

    check("0")
    try:
        yield
    finally:
        check("inf")
