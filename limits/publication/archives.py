"""Archives that depend on what is in them alone."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping

__all__ = ["tar_gz"]


def tar_gz(files: Mapping[str, str | bytes]) -> bytes:
    """Return a ``.tar.gz`` of files: in the order of their names, without dates and owners.

    Parameters
    ----------
    files
        Contents by name; text is written as UTF-8.
    """
    stream = io.BytesIO()
    with (
        gzip.GzipFile(filename="", mode="wb", fileobj=stream, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as archive,
    ):
        for name in sorted(files):
            content = files[name]
            data = content.encode("utf-8") if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o644
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()
