"""What is kept: specifications, limits and the files they are written to."""
