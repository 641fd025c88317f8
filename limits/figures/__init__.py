"""Figures of results: functions that take results and return a Figure."""
