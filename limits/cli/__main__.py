"""``python -m na64.limits.cli`` is the same as ``na64-limits``."""

from __future__ import annotations

from na64.limits.cli import main

if __name__ == "__main__":
    main()
