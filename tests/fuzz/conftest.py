"""Sound documents, made once for all of these tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from scripts.fuzzing.documents import Document, make_documents


@pytest.fixture(scope="session")
def documents(table_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Document, ...]:
    """Return one or more sound documents of every kind that is read."""
    return make_documents(tmp_path_factory.mktemp("documents"))
