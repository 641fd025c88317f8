"""Signal physics: showers, production, decays and expected events per particle on target."""

from __future__ import annotations

if __name__ != "na64.models":  # imported as a bare folder: two names for one module
    raise ImportError(
        "this folder is installed as 'na64.models'; import that name\n"
        "(install the project first: pip install -e . at the root of the repository)"
    )
