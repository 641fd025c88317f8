"""Mediators: their couplings and visible widths, the dark sector they decay to, the registry."""
