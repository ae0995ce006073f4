"""Large Temporal payloads travel through the artifact store: history holds a reference of a few hundred bytes.

Workers and clients of a project use the same converter, `data_converter(root, url=…)`. While a store elsewhere does not
answer, a task of a workflow fails and is tried again by the server: the run waits, and nothing of it is lost.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from temporalio.api.common.v1 import Payload
from temporalio.converter import (
    DataConverter,
    ExternalStorage,
    StorageDriver,
    StorageDriverClaim,
    StorageDriverRetrieveContext,
    StorageDriverStoreContext,
)

from activities.artifacts import ArtifactStore

THRESHOLD = 256 * 1024
"""Bytes from which on a payload leaves the history; the server refuses 2 MB."""

MEDIA_TYPE = "application/vnd.temporal.payload"


class ArtifactDriver(StorageDriver):
    """Stores serialised payloads as artifacts; equal payloads are one artifact."""

    def __init__(self, store: ArtifactStore) -> None:
        self.store_of_project = store

    def name(self) -> str:
        """The name that references carry; frozen, histories hold it."""
        return "phaseloom.artifacts"

    def type(self) -> str:
        """The same in every language."""
        return "phaseloom.artifacts"

    async def store(
        self,
        context: StorageDriverStoreContext,  # noqa: ARG002 - contents are shared by all runs
        payloads: Sequence[Payload],
    ) -> list[StorageDriverClaim]:
        """Store payloads; the claims are in their order."""
        return [await asyncio.to_thread(self._store, payload) for payload in payloads]

    async def retrieve(
        self,
        context: StorageDriverRetrieveContext,  # noqa: ARG002 - a claim says all
        claims: Sequence[StorageDriverClaim],
    ) -> list[Payload]:
        """The payloads of claims, checked."""
        return [await asyncio.to_thread(self._retrieve, claim) for claim in claims]

    def _store(self, payload: Payload) -> StorageDriverClaim:
        ref = self.store_of_project.put_bytes(payload.SerializeToString(deterministic=True), MEDIA_TYPE)
        return StorageDriverClaim(claim_data={"sha256": ref.sha256, "size": str(ref.size)})

    def _retrieve(self, claim: StorageDriverClaim) -> Payload:
        return Payload.FromString(self.store_of_project.get_bytes(claim.claim_data["sha256"]))


def data_converter(root: Path, *, url: str = "", durable: bool = True) -> DataConverter:
    """The converter for every client and worker of the project at `root`, whose artifacts are also at `url`."""
    driver = ArtifactDriver(ArtifactStore(root, url=url, durable=durable))
    return DataConverter(external_storage=ExternalStorage(drivers=[driver], payload_size_threshold=THRESHOLD))
