"""Figures by name: files that say what is scanned and what is drawn, and what makes figures of them."""
