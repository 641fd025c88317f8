"""Whether a result is what was written: its digest against what it says of itself."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from na64.models.errors import InputError
from na64.workspaces.io.jsonio import digest

__all__ = ["check_digest", "check_document"]

_LOGGER = logging.getLogger(__name__)


def check_digest(found: str, provenance: object, where: str, *, trust: bool) -> None:
    """Compare the digest of what a file holds with the ``content_digest`` of its provenance.

    Parameters
    ----------
    found
        sha256 of the content without its provenance.
    provenance
        As the file has it.
    where
        Name of the file, for messages.
    trust
        Whether a file that was changed is accepted, with a warning in the log.

    Raises
    ------
    InputError
        If the digests differ, or the file has none, unless it is to be trusted.
    """
    stated = provenance.get("content_digest") if isinstance(provenance, Mapping) else None
    if stated == found:
        return
    what = (
        "has no content_digest, with which it was written"
        if stated is None
        else "was changed after it was written: its content_digest is that of other numbers"
    )
    if not trust:
        raise InputError(f"{where}: {what}; `trust` accepts it")
    _LOGGER.warning("%s: %s; it is trusted as it is", where, what)


def check_document(document: Mapping[str, Any], where: str, *, trust: bool) -> None:
    """Check a document that is used as it is; see `check_digest`.

    A tool that writes 1.0 as 1 changes it, as does one that edits a number.
    """
    content = {key: value for key, value in document.items() if key != "provenance"}
    check_digest(digest(content), document.get("provenance"), where, trust=trust)
