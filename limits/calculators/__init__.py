"""CLs calculators: asymptotic, exact and toys, on one compiled likelihood."""
