"""Edges to other libraries, each imported only here."""
