"""Hypothesis profiles: `ci` is the same on every run and quick to fail; `deep` looks for new counterexamples."""

import os

from hypothesis import HealthCheck, Phase, settings

SLOW_IS_FINE = (HealthCheck.too_slow, HealthCheck.data_too_large)  # a drawn value is a whole model, or a query of a large one

settings.register_profile(
    "ci",
    derandomize=True,
    database=None,
    max_examples=40,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=SLOW_IS_FINE,
)
settings.register_profile("deep", max_examples=200, deadline=None, suppress_health_check=SLOW_IS_FINE)  # five times as many
settings.load_profile(os.environ.get("CALFBAYES_HYPOTHESIS_PROFILE", "ci"))
