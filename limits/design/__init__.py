"""Designing a search: sidebands, cuts, the reference process."""
