"""Expected signal events per particle on target, one module per search topology."""
