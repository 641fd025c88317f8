"""Files of simulations as counts by mass and coupling: tables of text, ROOT histograms, trees."""
