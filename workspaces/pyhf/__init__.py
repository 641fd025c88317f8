"""Likelihoods as pyhf documents."""
