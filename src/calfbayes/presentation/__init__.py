"""Rendering of results: reads them, computes nothing."""
