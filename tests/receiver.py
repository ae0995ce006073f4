"""A web hook on this machine: remembers what it was sent, and answers as it is told."""

from __future__ import annotations

import contextlib
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Json = dict[str, Any]
Reply = tuple[int, dict[str, str]]


class Receiver(ThreadingHTTPServer):
    """`answer` is asked for each request, by its number from 0; `hang` are the numbers that get none."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.seen: list[Json] = []
        self.answer: Callable[[int], Reply] = lambda _number: (200, {})
        self.hang: set[int] = set()
        self.ending = threading.Event()

    @property
    def place(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.place}/hook"

    @property
    def keys(self) -> list[str]:
        """The idempotency keys of all requests."""
        return [each["headers"]["idempotency-key"] for each in self.seen]


class Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        number = len(self.server.seen)
        headers = {name.lower(): value for name, value in self.headers.items()}
        self.server.seen.append({"path": self.path, "headers": headers, "body": json.loads(content)})
        if number in self.server.hang:
            self.server.ending.wait(60)
            return
        status, given = self.server.answer(number)
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            for name, value in {"content-length": "0", **given}.items():
                self.send_header(name, value)
            self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the parent's name
        """Print nothing."""


@contextlib.contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that listens."""
    receiver = Receiver()
    thread = threading.Thread(target=receiver.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield receiver
    finally:
        receiver.ending.set()
        receiver.shutdown()
        receiver.server_close()
        thread.join()
