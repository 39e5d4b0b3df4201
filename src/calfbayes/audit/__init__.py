"""The audit: what a model implies, beside published figures."""
