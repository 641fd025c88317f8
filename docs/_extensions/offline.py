"""Nothing on a page is loaded from elsewhere: no script, style, font or picture of another host.

Links that a reader follows are another matter; their form is checked by the tests.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

_LOADED = re.compile(
    r"<(?:script|img|iframe|source|video|audio|embed|object)\b[^>]*?(?:src|srcset|data)=\"(https?:)?//"
    r"|<link\b(?![^>]*rel=\"(?:canonical|license)\")[^>]*href=\"(https?:)?//"
)
_IN_STYLES = re.compile(r"(?:@import|url\()\s*['\"]?(?:https?:)?//")


def remote_assets(folder: Path) -> list[str]:
    """Return where a page or a style sheet loads something from another host."""
    found = []
    for pattern, files in ((_LOADED, "*.html"), (_IN_STYLES, "*.css")):
        for file in sorted(folder.rglob(files)):
            text = file.read_text(encoding="utf-8")
            found += [
                f"{file.relative_to(folder)}: {text[match.start() : match.end() + 60]!r}"
                for match in pattern.finditer(text)
            ]
    return found


def _check(app: Sphinx, exception: Exception | None) -> None:
    from sphinx.errors import ExtensionError

    if exception is None and app.builder.format == "html":
        found = remote_assets(Path(app.outdir))
        if found:
            raise ExtensionError("pages load from other hosts:\n" + "\n".join(found))


def setup(app: Sphinx) -> dict[str, Any]:
    """Look through the pages once they are written."""
    app.connect("build-finished", _check, priority=900)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
