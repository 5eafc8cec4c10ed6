"""Settings from the environment."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

import turnlog
from turnlog import InvalidInput, Settings, StoreUnavailable


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
    ("fields", "rule"),
    [
        ({"port": 70_000}, "port: cannot be 70000: Expected `int` <= 65535"),
        ({"tags": 0}, "tags: cannot be 0"),
        ({"store_timeout_s": float("nan")}, "store_timeout_s: cannot be nan"),
        ({"port": "8377"}, "port: cannot be '8377': Expected `int`, got `str`"),
        ({"fold": "here"}, "fold: cannot be 'here'"),
        ({"llm_key": 5}, r"llm_key: cannot be '\*\*\*'"),
    ],
)
def test_values_in_python_are_checked_as_those_of_the_environment(fields: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidInput, match=rule):
        Settings(**fields)
    with pytest.raises(InvalidInput, match=rule):
        msgspec.structs.replace(Settings(), **fields)


@pytest.mark.parametrize(
    ("variable", "setting"),
    [
        ("TURNLOG_STOER", "TURNLOG_STORE"),
        ("TURNLOG_TOKENISER", "TURNLOG_TOKENIZER"),
        ("TURNLOG_INTEGRITY_KEYS", "TURNLOG_INTEGRITY_KEY"),
        ("TURNLOG_FOLD_PAUSE", "TURNLOG_FOLD_PAUSE_S"),
    ],
)
def test_a_misspelt_variable_is_refused_with_the_nearest_setting(variable: str, setting: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        Settings.from_env({variable: "x"})
    assert str(refused.value) == f"{variable}: is no setting; did you mean {setting}?"


@pytest.mark.parametrize("variable", ["TURNLOG_SERVICE_HOST", "TURNLOG_PORT_8377_TCP_ADDR", "TURNLOG_COLOUR"])
def test_another_variable_with_the_prefix_is_logged(variable: str, caplog: pytest.LogCaptureFixture) -> None:
    assert Settings.from_env({variable: "x"}) == Settings()
    assert caplog.messages == [f"{variable} in the environment is no setting of turnlog"]


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://ann:s3cret@host:5432/db", "postgresql://ann:***@host:5432/db"),
        ("postgresql://ann:s3:c/r@t@one:1,two:2/db", "postgresql://ann:***@one:1,two:2/db"),
        ("postgresql://host/db?user=ann&password=s3cret&x=1", "postgresql://host/db?user=ann&password=***&x=1"),
        ("redis://:s3cret@host/0", "redis://:***@host/0"),
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("sqlite:////data/a@b.db", "sqlite:////data/a@b.db"),
    ],
)
def test_no_repr_shows_a_password(url: str, shown: str) -> None:
    assert f"store={shown!r}," in repr(Settings(store=url))
    assert "s3cret" not in repr(Settings(llm_url="https://me:s3cret@llm/v1", llm_key="s3cret", integrity_key="s3cret"))


async def test_connect_reads_the_environment_unless_it_is_given_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TURNLOG_STORE", "ram:")
    monkeypatch.setenv("TURNLOG_TENANT", "acme")
    monkeypatch.setenv("TURNLOG_INTEGRITY_KEY", "secret")
    async with turnlog.connect() as log:
        assert (log.tenant, log.settings.integrity_key) == ("acme", "secret")
    async with turnlog.connect("ram:", settings=Settings()) as log:
        assert log.tenant == "default"


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"url": 5}, "store: must be a URL, not int"),
        ({"url": ""}, "store: must be ram:, sqlite:///path"),
        ({"url": "/tmp/x.db"}, "store: must be ram:, sqlite:///path"),
        ({"settings": {"tenant": "acme"}}, "settings: must be a turnlog.Settings, not dict"),
        ({"settings": Settings(tokenizer="o300k")}, "tokenizer: 'o300k' is not known; it must be estimate, o200k_base"),
        ({"settings": Settings(tokenizer="")}, "tokenizer: '' is not known"),
        ({"folds": [object]}, "folds: must be folds: objects with name, version, initial and step"),
        ({"folds": 5}, "folds: must be a list of folds, not 5"),
    ],
)
def test_connect_refuses_what_it_cannot_use_in_one_sentence(given: dict[str, Any], rule: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        turnlog.connect(**{"url": "ram:", **given})
    assert str(refused.value).startswith(rule)


async def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=f"there is no folder {tmp_path}/data"):
        await turnlog.connect(f"sqlite:///{tmp_path}/data/turnlog.db").open()


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
