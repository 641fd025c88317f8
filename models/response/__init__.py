"""What the detector sees of a signal: the selection of each topology."""
