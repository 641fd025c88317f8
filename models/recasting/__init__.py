"""What a published search made and saw, and how rates of mediators compare in it."""
