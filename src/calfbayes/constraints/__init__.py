"""Clinical sanity constraints: what must hold of a model, from `constraints.toml`, each with its source."""
