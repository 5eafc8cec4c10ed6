"""Settings from the environment."""

import msgspec
import pytest

from turnlog import InvalidInput, Settings


def test_nothing_set_gives_the_defaults():
    assert Settings.from_env({"PATH": "/bin", "TURNLOG_PORT": ""}) == Settings()


def test_every_field_has_its_variable():
    defaults = msgspec.structs.asdict(Settings())
    environ = {f"TURNLOG_{name.upper()}": str(value) for name, value in defaults.items()}
    assert Settings.from_env(environ) == Settings()
    assert Settings.from_env({"TURNLOG_PORT": "0", "TURNLOG_STORE_TIMEOUT_S": "2.5"}) == Settings(
        port=0, store_timeout_s=2.5
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("TURNLOG_PORT", "many"),
        ("TURNLOG_PORT", "65536"),
        ("TURNLOG_PARTS", "0"),
        ("TURNLOG_JSON_DEPTH", "65"),
        ("TURNLOG_STORE_TIMEOUT_S", "-1"),
        ("TURNLOG_STORE_TIMEOUT_S", "nan"),
    ],
)
def test_a_bad_value_names_its_variable(variable, value):
    with pytest.raises(InvalidInput) as refused:
        Settings.from_env({variable: value})
    assert refused.value.field == variable
