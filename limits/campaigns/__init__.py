"""Campaigns: many specifications computed as one, on one machine or many, and taken up again."""
