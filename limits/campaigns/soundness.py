"""Whether the store of a campaign is as it was written, and what is done where it is not.

Documents have a sha256 each; the plan, which point has which tasks, and their payloads, has one
when it is complete. A document that is damaged is computed again by whoever goes on with the
campaign; of a damaged plan nothing is guessed.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import astuple

from na64.limits.campaigns.store import Store
from na64.models.errors import InputError

__all__ = ["check_plan", "mend", "plan_is_sound", "seal"]


def _plan_sha256(store: Store) -> str:
    found = hashlib.sha256(json.dumps(astuple(store.head)).encode())
    for row in store.plan():
        found.update(json.dumps(row).encode())
    return found.hexdigest()


def seal(store: Store) -> None:
    """Keep the sha256 of a plan that is complete."""
    if store.sealed is None and store.planned() == store.head.size:
        store.seal(_plan_sha256(store))


def plan_is_sound(store: Store) -> bool:
    """Whether a plan is what was written, as far as it is known."""
    try:
        return store.sealed in (None, _plan_sha256(store))
    except (InputError, TypeError):  # a text that is none, bytes where a text was
        return False


def check_plan(store: Store) -> None:
    """Refuse a store whose plan is not what was written.

    Raises
    ------
    InputError
        It says how to go on: documents that are whole are kept.
    """
    if not plan_is_sound(store):
        raise InputError(
            f"{store.path}: what was planned is damaged; run the file of the campaign anew with "
            "`replan`, which keeps the documents"
        )


def mend(store: Store) -> int:
    """Take damaged documents out, so that they are computed again, and return how many there were.

    A task whose document is missing is to be done again, too.
    """
    bad = []
    for digest in store.digests():
        try:
            store.document(digest)
        except InputError:
            bad.append(digest)
    store.forget(bad)
    return len(bad)
