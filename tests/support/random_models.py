"""The random models of the package, under the name that the tests use."""

from calfbayes.testing.random_models import (
    LEVELS,
    Content,
    care,
    finding,
    k64,
    link,
    model_of,
    number,
    probability,
    random_content,
    random_model,
    urgency,
)

__all__ = [
    "LEVELS",
    "Content",
    "care",
    "finding",
    "k64",
    "link",
    "model_of",
    "number",
    "probability",
    "random_content",
    "random_model",
    "urgency",
]
