"""A real S3 server on loopback that can be taken away and brought back; what it has kept stays in this process."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import boto3  # type: ignore[import-untyped]  # it tells no types
import pytest
from moto.server import ThreadedMotoServer

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "hidden-word", "AWS_REGION": "us-east-1"}


class S3:
    """A server with a bucket for each test. `variables` are what a process needs to reach it."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        self._server.start()
        _, self.port = self._server.get_host_and_port()
        self.variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        self.objects = boto3.client(
            "s3",
            endpoint_url=self.variables["AWS_ENDPOINT_URL"],
            region_name="us-east-1",
            aws_access_key_id="testing",
            aws_secret_access_key="hidden-word",
        )
        self.new_bucket()

    def new_bucket(self) -> None:
        """Go on with an empty bucket; `url` is a folder in it."""
        self.bucket = f"bucket-{uuid4().hex[:8]}"
        self.url = f"s3://{self.bucket}/team"
        self.objects.create_bucket(Bucket=self.bucket)

    def names(self) -> list[str]:
        """What is in the bucket."""
        found = self.objects.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        return sorted(each["Key"] for each in found)

    def stop(self) -> None:
        """Let nobody reach it."""
        self._server.stop()

    def start(self) -> None:
        """Let it be reached again, at the same address."""
        self._server = ThreadedMotoServer("127.0.0.1", self.port, verbose=False)
        self._server.start()


@contextmanager
def serving() -> Iterator[S3]:
    """A server for as long as the block lasts."""
    served = S3()
    try:
        yield served
    finally:
        served.stop()


def for_one_test(served: S3, patch: pytest.MonkeyPatch) -> S3:
    """The server with an empty bucket, and this process as one that may use it."""
    served.new_bucket()
    for name, value in served.variables.items():
        patch.setenv(name, value)
    return served
