"""From signal rates and backgrounds to exclusion limits: likelihood, CLs, scans, figures."""

from __future__ import annotations

if __name__ != "na64.limits":  # imported as a bare folder: two names for one module
    raise ImportError(
        "this folder is installed as 'na64.limits'; import that name\n"
        "(install the project first: pip install -e . at the root of the repository)"
    )
