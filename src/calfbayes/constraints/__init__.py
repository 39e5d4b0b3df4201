"""Clinical sanity constraints: what must hold of a model, from the folder `constraints`, each with its source."""
