"""From a specification to a limit: signal, inversion, regions, combination, recast."""
