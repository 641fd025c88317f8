"""Calculators of limits on one compiled likelihood, behind one protocol and in one table.

`registry` has the table of calculators and their settings, `limits` computes limits and p-values
with any of them, `discovery` and `breakdown` what else can be asked; `protocol` says what a
calculator is and `status` what all results share. A calculator is a row of the table, and the
class ``Engine`` in a module of its name.
"""
