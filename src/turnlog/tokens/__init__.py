"""How many tokens a message costs a model: `counter("gpt-4o")(message)`."""

from turnlog.tokens.counter import MESSAGE_OVERHEAD, REPLY_PRIMING, Counter, TokenCounter
from turnlog.tokens.models import as_counter, counter, counter_of_model

__all__ = [
    "MESSAGE_OVERHEAD",
    "REPLY_PRIMING",
    "Counter",
    "TokenCounter",
    "as_counter",
    "counter",
    "counter_of_model",
    "estimate",
]

estimate = counter("estimate")
"""The counter that needs no package and fits any model about."""
