"""What a workspace says beside limits: fits, rankings of nuisances, goodness of fit, yields."""
