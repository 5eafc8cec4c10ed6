"""Everything that can be set, in one frozen value."""

import msgspec

from turnlog.message import Limits


class Settings(msgspec.Struct, frozen=True):
    """What a `Turnlog` may be told. Each field can also be set in the environment, as `TURNLOG_` and its name in capitals."""

    store: str = "sqlite:///data/turnlog.db"
    """URL of the store."""
    tenant: str = "default"
    """The tenant that this process serves."""
    host: str = "127.0.0.1"
    """Address that the service listens on."""
    port: int = 8377
    """Port that the service listens on; 0 takes a free one."""
    message_bytes: int = Limits().message_bytes
    """Largest message, as JSON in UTF-8."""
    parts: int = Limits().parts
    """Most parts of one message."""
    metadata_bytes: int = Limits().metadata_bytes
    """Largest metadata of a message or a conversation, as JSON in UTF-8."""
    json_depth: int = Limits().json_depth
    """Deepest nesting of metadata, 1 to 64."""
    body_bytes: int = 8 << 20
    """Largest body of a request."""
    messages_per_call: int = 1000
    """Most messages in one append, and in one page of a read."""
    transcript_messages: int = 10_000
    """Most messages of a transcript given to sync."""
    tags: int = 32
    """Most tags of a conversation."""
    fork_depth: int = 64
    """Longest chain of forks of forks."""
    store_timeout_s: float = 30.0
    """How long a call may wait for the store before it fails with `StoreUnavailable`."""

    @property
    def limits(self) -> Limits:
        """The limits of one message."""
        return Limits(self.message_bytes, self.parts, self.metadata_bytes, self.json_depth)
