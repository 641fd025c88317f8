"""Addresses of schedulers, and clusters without a worker."""

from __future__ import annotations

import logging

import pytest

from na64.limits.campaigns.executors import DaskWorkers
from na64.models.errors import InputError

pytest.importorskip("distributed")


@pytest.mark.parametrize(
    "address",
    ["", "foo://x", "tcp://", "tcp://127.0.0.1", "tcp://host:0", "tcp://host:port", "host:8786",
     "tcp://host:8786/x", "tcp://a b:8786"],
)  # fmt: skip
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(InputError, match=r"tcp://HOST:PORT"):
        DaskWorkers(1, address)


@pytest.mark.parametrize(
    "address", ["tcp://127.0.0.1:8786", "tls://node-01.cern.ch:1", "ws://[::1]:8786"]
)
def test_addresses(address: str) -> None:
    DaskWorkers(1, address)


def test_a_cluster_without_workers_is_told_of_once(caplog: pytest.LogCaptureFixture) -> None:
    class Client:
        def __init__(self) -> None:
            self.threads: dict[str, int] = {}

        def nthreads(self) -> dict[str, int]:
            return self.threads

    where = DaskWorkers(1, "tcp://127.0.0.1:8786")
    where._client = Client()
    with caplog.at_level(logging.WARNING):
        assert [where.count(), where.count()] == [1, 1]
        where._client.threads = {"one": 2, "two": 3}
        assert where.count() == 5
    assert [record.getMessage() for record in caplog.records] == [
        "Dask at tcp://127.0.0.1:8786 has no workers yet; the first one begins"
    ]
