"""A page in the browser where the settings of a search are controls and its limit follows."""
