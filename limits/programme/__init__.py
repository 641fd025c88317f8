"""Figures by name: files that say what is scanned and drawn, and what makes figures of them."""
