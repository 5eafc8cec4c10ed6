"""What all tests share."""

import os

from hypothesis import HealthCheck, settings

FUZZ = int(os.environ.get("TURNLOG_FUZZ", "1"))
"""How many times the default number of examples the property tests try."""

settings.register_profile(
    "turnlog",
    deadline=None,
    max_examples=50 * FUZZ,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    print_blob=True,
)
settings.load_profile("turnlog")
