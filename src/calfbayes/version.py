"""The version, in a module of its own: records name it, and nothing inside imports from the package itself."""

__version__ = "0.1.0"
