"""Run cards, statistical templates, pyhf workspaces and the files that hold results."""

from __future__ import annotations

if __name__ != "na64.workspaces":  # imported as a bare folder: two names for one module
    raise ImportError(
        "this folder is installed as 'na64.workspaces'; import that name\n"
        "(install the project first: pip install -e . at the root of the repository)"
    )
