"""Everything that can be set, in one frozen value."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

import msgspec

from turnlog.errors import InvalidInput
from turnlog.validation import JSON_DEPTH_MAX, Limits

Count = Annotated[int, msgspec.Meta(ge=1)]
_SECRET = frozenset({"integrity_key", "llm_key"})
"""What no repr shows."""
Positive = Annotated[float, msgspec.Meta(gt=0)]
Price = Annotated[float, msgspec.Meta(ge=0)]


class Settings(msgspec.Struct, frozen=True):
    """What a `Turnlog` may be told. `from_env` reads each field from `TURNLOG_` and its name in capitals."""

    store: str = "sqlite:///data/turnlog.db"
    """URL of the store."""
    tenant: str = "default"
    """The tenant that this process serves."""
    host: str = "127.0.0.1"
    """Address that the service listens on."""
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8377
    """Port that the service listens on; 0 takes a free one."""
    message_bytes: Count = Limits().message_bytes
    """Largest message, as JSON in UTF-8."""
    parts: Count = Limits().parts
    """Most parts of one message."""
    metadata_bytes: Count = Limits().metadata_bytes
    """Largest metadata of a message or a conversation, as JSON in UTF-8."""
    json_depth: Annotated[int, msgspec.Meta(ge=1, le=JSON_DEPTH_MAX)] = Limits().json_depth
    """Deepest nesting of metadata, 1 to 64."""
    body_bytes: Count = 8 << 20
    """Largest body of a request."""
    messages_per_call: Count = 1000
    """Most messages in one append, and in one page of a read."""
    page_bytes: Count = 8 << 20
    """What the messages in one page of a read weigh together, at most; a page has one message at least."""
    transcript_messages: Count = 10_000
    """Most messages of a transcript given to sync."""
    context_policy: dict[str, Any] = {}
    """What contexts change of the preset `full`: fields of a policy, as a JSON object."""
    context_messages: Count = 5000
    """Most messages that are read for a context."""
    context_bytes: Count = 8 << 20
    """What the messages that are read for a context weigh together, at most."""
    tags: Count = 32
    """Most tags of a conversation."""
    store_timeout_s: Annotated[float, msgspec.Meta(gt=0)] = 30.0
    """How long a call may wait for the store before it fails with `StoreUnavailable`."""
    tokenizer: str = "estimate"
    """What counts the tokens of messages: `estimate`, `o200k_base`, `cl100k_base`, a model or `hf:` and a path."""
    llm_model: str = ""
    """Name of the language model that memory works with; empty for none."""
    llm_url: str = "https://api.openai.com/v1"
    """Where it answers: the base URL of anything that speaks the API of OpenAI."""
    llm_key: str = ""
    """The key for it."""
    llm_timeout_s: Positive = 120.0
    """How long a call of it may take before it fails with `LLMUnavailable`, further tries included."""
    llm_retries: Annotated[int, msgspec.Meta(ge=0, le=10)] = 2
    """How often a call is tried again when the model is busy or out of reach."""
    llm_concurrency: Count = 4
    """How many calls of it may be under way in one process."""
    llm_window: Annotated[int, msgspec.Meta(ge=2000)] = 16_000
    """Most tokens that it takes, its reply included."""
    llm_reply_bytes: Count = 1 << 20
    """Largest answer of its endpoint that is read."""
    llm_request: dict[str, Any] = {}
    """More fields of each request to it, as a JSON object, such as `{"temperature": 0}`."""
    llm_price_input: Price = 0.0
    """Price of a million tokens of input, in any currency."""
    llm_price_cached: Price = 0.0
    """Price of a million tokens of input that the endpoint had in its cache; 0 for the price of other input."""
    llm_price_output: Price = 0.0
    """Price of a million tokens of output."""

    fold: Literal["process", "inline", "off"] = "process"
    """Where `serve` keeps memory up: in a process beside it, in its own (always so with `ram:`), or not at all."""
    fold_concurrency: Count = 8
    """Conversations that a worker folds at once."""
    fold_pause_s: Annotated[float, msgspec.Meta(ge=0)] = 2.0
    """Seconds for which nobody must have touched a conversation before it is folded, unless many messages wait."""
    fold_backlog_min: Count = 50
    """Messages of a busy conversation that are folded without waiting for a pause."""

    postgres_sharded: bool = False
    """Whether PostgreSQL's tables are distributed by `log`: then no statement writes to two conversations."""
    integrity_key: str = ""
    """Secret: with it, only who knows it can make an integrity state that fits a changed log."""

    def __repr__(self) -> str:
        shown = {name: "***" if value and name in _SECRET else value for name, value in msgspec.structs.asdict(self).items()}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"

    @property
    def limits(self) -> Limits:
        """The limits of one message."""
        return Limits(self.message_bytes, self.parts, self.metadata_bytes, self.json_depth)

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Self:
        """The settings that `environ` tells in variables `TURNLOG_<FIELD>`; an empty one counts as not set.

        Raises `InvalidInput` with the name of a variable whose value does not fit.
        """
        told: dict[str, Any] = {}
        for field in msgspec.structs.fields(cls):
            variable = f"TURNLOG_{field.name.upper()}"
            if value := environ.get(variable):
                told[field.name] = _read(variable, value, field.type)
        return cls(**told)


def _read(variable: str, value: str, kind: Any) -> Any:
    try:
        given = msgspec.json.decode(value) if kind == dict[str, Any] else value
        return msgspec.convert(given, kind, strict=False)
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        raise InvalidInput(variable, f"cannot be {value!r}: {error}") from None
