"""The command line ``na64-limits``: one module per command, loaded when it is called."""

from __future__ import annotations

from na64.limits.cli.entry import cli, main

__all__ = ["cli", "main"]
