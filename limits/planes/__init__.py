"""Other axes for a limit: y, alpha_D, couplings; and bounds from elsewhere."""
