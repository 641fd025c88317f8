"""Where the tasks of a campaign run: processes of this machine, or a cluster of Dask."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any, Final, Protocol

from na64.limits.scanning.engine import LOST
from na64.models.errors import ComputationError, InputError
from na64.workspaces.io.optional import need
from na64.workspaces.io.processes import Workers

__all__ = ["AnyExecutor", "DaskWorkers", "Processes", "Processors"]

_LOGGER = logging.getLogger(__name__)

#: host by name, IPv4 or [IPv6], and port
_ADDRESS: Final = re.compile(r"(tcp|tls|wss?)://([\w.-]+|\[[0-9A-Fa-f:.]+\]):[1-9][0-9]{0,4}")
#: how long workers of a cluster are waited for, and a scheduler to answer
_PATIENCE: Final = "30s"


class Processors(Protocol):
    """Where tasks run."""

    @property
    def lost(self) -> tuple[type[BaseException], ...]:
        """What a task fails with if its process is gone."""

    def executor(self) -> AbstractContextManager[Executor]:
        """Return an executor, which is there within a with-block."""

    def count(self) -> int:
        """Return how many tasks it computes at once, now."""


@dataclass(frozen=True, slots=True)
class Processes:
    """Processes of this machine.

    Attributes
    ----------
    jobs
        How many.
    """

    jobs: int

    def __post_init__(self) -> None:
        if self.jobs < 1:
            raise InputError(f"at least one job is needed, not {self.jobs}")

    @property
    def lost(self) -> tuple[type[BaseException], ...]:
        """What a task fails with if its process is gone."""
        return LOST

    def executor(self) -> AbstractContextManager[Executor]:
        """Return the processes."""
        return Workers(self.jobs)

    def count(self) -> int:
        """Return how many there are."""
        return self.jobs


@dataclass(frozen=True, slots=True)
class AnyExecutor:
    """An executor of `concurrent.futures` that somebody else made, and closes.

    Attributes
    ----------
    given
        The executor. What it hands to a task travels as it likes: the function by its name, tasks
        as dataclasses of texts, numbers and bytes.
    at_once
        How many tasks it computes at once.
    lost
        What a task fails with if its process is gone; it is tried again then.
    """

    given: Executor
    at_once: int
    lost: tuple[type[BaseException], ...] = LOST

    def executor(self) -> AbstractContextManager[Executor]:
        """Return the executor, which stays open."""
        return nullcontext(self.given)

    def count(self) -> int:
        """Return how many tasks are computed at once."""
        return self.at_once


class DaskWorkers:
    """Workers of a cluster of dask.distributed.

    Parameters
    ----------
    jobs
        Workers of a cluster on this machine, each a process with one thread, which listens on
        127.0.0.1 alone; of no meaning with a scheduler.
    scheduler
        Address of a scheduler that runs already, ``tcp://host:port``.

    Raises
    ------
    InputError
        If dask.distributed is not installed, and for what is no address.
    """

    def __init__(self, jobs: int, scheduler: str | None = None) -> None:
        if jobs < 1:
            raise InputError(f"at least one job is needed, not {jobs}")
        if scheduler is not None and not _ADDRESS.fullmatch(scheduler):
            raise InputError(
                f"`scheduler` '{scheduler}' is no address of a scheduler of Dask; tcp://HOST:PORT "
                "is, or with tls, ws or wss for tcp"
            )
        self._jobs = jobs
        self._scheduler = scheduler
        self._client: Any = None
        self._told = False
        self._distributed = need("distributed", extra="dask", purpose="campaigns on a cluster")

    @property
    def lost(self) -> tuple[type[BaseException], ...]:
        """What a task fails with if its worker is gone, as often as the scheduler tries again."""
        return (self._distributed.scheduler.KilledWorker,)

    @contextmanager
    def executor(self) -> Iterator[Executor]:
        """Return the executor of a client."""
        dask = need("dask", extra="dask")
        quiet = {"distributed.logging.distributed": "error"}  # of processes that begin
        with dask.config.set(quiet), _unheard(), self._cluster() as address:
            try:
                client = self._distributed.Client(address, timeout=_PATIENCE, set_as_default=False)
            except (OSError, ValueError) as error:
                raise InputError(f"no scheduler of Dask answers at {address}: {error}") from error
            try:
                self._client = client
                # a task is no function of its arguments alone to Dask: it may be tried again
                yield client.get_executor(pure=False)
            except (
                ConnectionError,
                self._distributed.comm.CommClosedError,
                CancelledError,
            ) as error:
                raise ComputationError(
                    "the scheduler of Dask is gone; what was finished is kept, and the "
                    "campaign can be resumed"
                ) from error
            finally:
                self._client = None
                client.close()

    @contextmanager
    def _cluster(self) -> Iterator[Any]:
        if self._scheduler is not None:
            yield self._scheduler
            return
        with self._distributed.LocalCluster(
            n_workers=self._jobs,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address=None,
        ) as cluster:
            yield cluster

    def count(self) -> int:
        """Return how many threads the workers have now, at least one; say so if none has any."""
        threads: dict[str, int] = self._client.nthreads()
        if not threads and not self._told:
            self._told = True
            where = self._scheduler or "this machine"
            _LOGGER.warning("Dask at %s has no workers yet; the first one begins", where)
        return max(1, sum(threads.values()))


@contextmanager
def _unheard() -> Iterator[None]:
    """Keep the tracebacks of Dask off the log: what matters of them is raised."""
    loggers = [logging.getLogger(name) for name in ("distributed", "distributed.client")]
    before = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        for logger, level in zip(loggers, before, strict=True):
            logger.setLevel(level)
