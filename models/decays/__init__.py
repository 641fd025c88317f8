"""Decay widths of mediators and mesons, and decays in flight."""
