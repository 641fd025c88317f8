"""Figures of results: functions that take results and return a Figure."""

from typing import Final

#: files that figures are written to; here, for the help of commands must not load matplotlib
FIGURE_SUFFIXES: Final = (".pdf", ".png", ".svg")
#: the file that a figure of limits for a browser is written to
PAGE_SUFFIX: Final = ".html"
