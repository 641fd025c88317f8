"""The command line ``na64-limits``: one module per command, loaded when it is called."""

from __future__ import annotations

from na64.limits.cli.application import cli, main

__all__ = ["cli", "main"]
