"""A real S3 server on loopback that can be taken away and brought back; what it has kept stays in this process."""

from __future__ import annotations

import logging
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

import obstore
import pytest
from moto.server import ThreadedMotoServer
from obstore.store import from_url

from tests.ports import free_port

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "hidden-word", "AWS_REGION": "us-east-1"}


class S3:
    """A server with a bucket for each test. `variables` are what a process needs to reach it."""

    def __init__(self) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.port = free_port()  # nobody else is given it while the server is away
        self.start()
        self.variables = {**CREDENTIALS, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}
        self.new_bucket()

    def new_bucket(self) -> None:
        """Go on with an empty bucket; `url` is a folder in it."""
        self.bucket = f"bucket-{uuid4().hex[:8]}"
        self.url = f"s3://{self.bucket}/team"
        address = self.variables["AWS_ENDPOINT_URL"]
        request = urllib.request.Request(f"{address}/{self.bucket}", method="PUT")  # noqa: S310 - of our own server
        with urllib.request.urlopen(request):  # noqa: S310 - as above
            pass
        self._objects = from_url(
            f"s3://{self.bucket}",
            endpoint=address,
            access_key_id="testing",
            secret_access_key="testing",
            region="us-east-1",
            client_options={"allow_http": True},
        )

    def names(self) -> list[str]:
        """What is in the bucket."""
        return sorted(each["path"] for page in obstore.list(self._objects) for each in page)

    def put(self, name: str, content: bytes) -> None:
        """Let the bucket have this, whatever it had."""
        obstore.put(self._objects, name, content)

    def stop(self) -> None:
        """Let nobody reach it."""
        self._server.stop()

    def start(self) -> None:
        """Let it be reached, always at the same address."""
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
