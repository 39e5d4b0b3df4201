"""Exact inference: arrays in, arrays out; it knows positions, not names."""
