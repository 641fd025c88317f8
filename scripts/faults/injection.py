"""Faults at every operation on files: the k-th call of the system fails, or is the last one."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Final

__all__ = ["ERRORS", "Fault", "Killed", "each_operation"]

#: what the system answers
ERRORS: Final = {
    "ENOSPC": errno.ENOSPC,
    "EIO": errno.EIO,
    "EINTR": errno.EINTR,
    "EACCES": errno.EACCES,
}
#: functions of `os` that touch files; all that the package uses for writing are among them
_OPERATIONS: Final = (
    "open", "close", "read", "write", "lseek", "ftruncate", "fsync", "replace", "rename", "link",
    "unlink", "remove", "stat", "lstat", "fstat", "fchmod", "fchown", "chmod", "readlink",
    "listdir", "scandir", "mkdir", "rmdir", "utime",
)  # fmt: skip


class Killed(BaseException):
    """The process ends here: nothing that it would still do is done."""


@dataclass
class Fault:
    """What happens at one operation.

    Attributes
    ----------
    number
        Which operation it is, counted from one.
    error
        What the system answers; None kills the process.
    lasting
        Whether every later operation fails as well; one of a killed process always does.
    """

    number: int
    error: int | None
    lasting: bool = False
    #: counts operations of this name alone, if one is given
    only: str = ""
    count: int = 0
    #: name of the operation that was hit; empty if there were fewer
    hit: str = ""
    _open: set[int] = field(default_factory=set)

    @contextmanager
    def injected(self) -> Iterator[None]:
        """Let the fault happen inside."""
        true = {name: getattr(os, name) for name in _OPERATIONS}
        flock = fcntl.flock
        try:
            for name, function in true.items():
                setattr(os, name, self._wrapped(name, function))
            fcntl.flock = self._wrapped("flock", flock)
            yield
        finally:
            for name, function in true.items():
                setattr(os, name, function)
            fcntl.flock = flock
            for descriptor in self._open:  # the end of a process closes its files
                with suppress(OSError):
                    os.close(descriptor)

    def _wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **words: Any) -> Any:
            later = bool(self.hit) and (self.lasting or self.error is None)
            self.count += self.only in ("", name)
            now = not self.hit and self.count == self.number
            if now:
                self.hit = name
            if now or later:
                if self.error is None:
                    raise Killed
                if name == "close":
                    function(*arguments)  # the system forgets a file even if it complains
                    self._open.discard(arguments[0])
                raise OSError(self.error, os.strerror(self.error))
            result = function(*arguments, **words)
            if name == "open":
                self._open.add(result)
            elif name == "close":
                self._open.discard(arguments[0])
            return result

        return call


def each_operation(error: int | None, *, lasting: bool = False) -> Iterator[Fault]:
    """Return faults at the first operation, the second, until one is not reached any more."""
    number = 0
    while True:
        number += 1
        fault = Fault(number, error, lasting)
        yield fault
        if not fault.hit:
            return
