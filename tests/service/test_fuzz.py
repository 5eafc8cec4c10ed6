"""Requests made from the service's own description: none breaks it, every answer is as described."""

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import CHECKS

import turnlog
from turnlog.service import create_app

pytestmark = pytest.mark.filterwarnings("default")
schema = schemathesis.openapi.from_asgi("/openapi.json", create_app(turnlog.connect("ram:")))

# Rules that tie fields together, such as a tool message's call id, are not in the schemas.
BEYOND_SCHEMAS = {"positive_data_acceptance"}


@schema.parametrize()
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_answer_is_as_described(case: schemathesis.Case) -> None:
    case.call_and_validate(excluded_checks=[check for check in CHECKS.get_all() if check.__name__ in BEYOND_SCHEMAS])
