"""Electromagnetic processes and the deterministic cascade in an absorbing target."""
