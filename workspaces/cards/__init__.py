"""Run cards: what a search is, read from TOML; the shipped cards lie beside the code."""
