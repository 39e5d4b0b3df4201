"""How well a model does on published patients, and the part of its card that can be counted."""
