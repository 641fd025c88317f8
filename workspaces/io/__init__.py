"""Reading and writing: canonical JSON, TOML, curves, the cache."""
