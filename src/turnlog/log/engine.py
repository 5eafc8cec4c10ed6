"""What all handles of one `Turnlog` share: store, clock, settings and folds, and the checks of arguments."""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypedDict

from turnlog import codec, formats
from turnlog.context.policy import COSTS, SECTIONS
from turnlog.context.request import ContextOptions, ContextRequest, changed_policy, deployed_policy, policy_changes
from turnlog.errors import (
    InvalidInput,
    TooLarge,
)
from turnlog.fold import Fold, Section, Sectioned, check_fold
from turnlog.integrity.digest import Integrity
from turnlog.llm.port import LLM
from turnlog.log.user import User
from turnlog.memory.defaults import CONTEXT_FOLDS, default_folds, readable
from turnlog.message import Message
from turnlog.settings import Settings
from turnlog.store import Store
from turnlog.tokens import TokenCounter, as_counter, counter_of_model
from turnlog.validation import check_id, check_name

Clock = Callable[[], int]
"""Microseconds since 1970 UTC."""


def system_clock() -> int:
    """The machine's clock."""
    return time.time_ns() // 1000


_USUAL = ("budget", "max_messages", "policy", "model", "format")
_SIMPLE = (int, str, type(None))
_REQUESTS_MAX = 256
"""So many requests for contexts are remembered: equal options are checked once."""
_TURN_WEIGHT = 256 << 10
"""What is worked on in one go, in bytes of messages, before others have their turn."""
_RECORD_WEIGHT = 2 << 10
"""What a message costs beside its bytes, as bytes."""


class HeaderChanges(TypedDict, total=False):
    """What `Conversation.update` can change."""

    title: str | None
    tags: Sequence[str]
    metadata: Mapping[str, Any]
    archived: bool


def check_names(folds: Sequence[Fold[Any]]) -> None:
    """Refuse folds of one name, whose states would take each other's place."""
    named: dict[str, Fold[Any]] = {}
    for fold in folds:
        if isinstance(fold, type) or not hasattr(fold, "initial"):
            raise InvalidInput("folds", f"must be folds: objects with name, version, initial and step, not {fold!r}")
        if (other := named.setdefault(fold.name, fold)) is not fold:
            raise InvalidInput("folds", f"{_place(other)} and {_place(fold)} are both named {fold.name!r}")


def _place(fold: object) -> str:
    return f"{type(fold).__module__}:{type(fold).__qualname__}"


def sections_of(folds: Sequence[Sectioned]) -> Mapping[str, Section]:
    """The sections of contexts, those that `folds` declare among them. Raises `InvalidInput`."""
    for fold in folds:
        check_fold(fold)  # type: ignore[arg-type]
        if fold.name in SECTIONS or fold.name in COSTS:
            raise InvalidInput(
                "folds", f"{_place(fold)} has a section, which cannot be named {fold.name!r}: contexts have one"
            )
    return {**SECTIONS, **{fold.name: fold.section for fold in folds}} if folds else SECTIONS


class Engine:
    """What a `Turnlog` and the handles that it gives out share."""

    def __init__(
        self,
        store: Store,
        settings: Settings,
        *,
        clock: Clock,
        count_tokens: TokenCounter,
        folds: Sequence[Fold[Any]] | None,
        llm: LLM | None,
    ) -> None:
        self.store = store
        self.settings = settings
        self.clock = clock
        self.count_tokens = as_counter(count_tokens)
        self.tenant = check_id("tenant", settings.tenant)
        self.limits = settings.limits
        self.integrity = Integrity(settings.integrity_key.encode(errors="surrogatepass"))
        self.folds = (*(default_folds(llm) if folds is None else folds), self.integrity)
        check_names(self.folds)
        self.versions = readable([fold for fold in self.folds if fold.name in CONTEXT_FOLDS])
        self.sectioned = tuple(fold for fold in self.folds if isinstance(fold, Sectioned))
        self.sections = sections_of(self.sectioned)
        self.policy = deployed_policy(settings.context_policy, self.sections)
        self.books: dict[str, str] = {}
        """Of conversations, the name under which what is known of their user is kept."""
        self._requests: dict[tuple[object, ...], ContextRequest] = {}

    def user(self, user_id: str) -> User:
        """A handle on a user, known or not."""
        check_name("user_id", user_id)
        return User(self.store, self.tenant, user_id, clock=self.clock, versions=self.versions, limits=self.settings.limits)

    def header_changes(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The changes of a header, checked; `tags` in the form in which they are kept."""
        checked = dict(changes)
        if checked.get("title") is not None:
            check_name("title", checked["title"], length_max=500)
        if "tags" in checked:
            checked["tags"] = self._check_tags(checked["tags"])
        if "metadata" in checked:
            if not isinstance(checked["metadata"], dict):
                raise InvalidInput("metadata", "must be a JSON object")
            codec.check_metadata(checked["metadata"], self.limits)
        if not isinstance(checked.get("archived", False), bool):
            raise InvalidInput("archived", "must be true or false")
        return checked

    def _check_tags(self, tags: Sequence[str]) -> tuple[str, ...]:
        if isinstance(tags, str) or not isinstance(tags, Sequence):
            raise InvalidInput("tags", "must be a list of names")
        if len(tags) > self.settings.tags:
            raise TooLarge("tags", limit=self.settings.tags, actual=len(tags), unit="tags")
        return tuple(dict.fromkeys(check_name(f"tags[{index}]", tag) for index, tag in enumerate(tags)))

    def request(self, options: ContextOptions) -> ContextRequest:
        """The request for a context with these options, checked. Raises `InvalidInput`."""
        if unknown := options.keys() - ContextOptions.__annotations__.keys():
            raise TypeError(f"a context has no option {min(unknown)!r}; it has {', '.join(ContextOptions.__annotations__)}")
        usual = tuple(options.get(name) for name in _USUAL)
        simple = not options.get("tools") and options.get("memory") is None and all(type(each) in _SIMPLE for each in usual)
        if simple and (known := self._requests.get(usual)):
            return known
        request = self._checked(options)
        if simple:
            if len(self._requests) >= _REQUESTS_MAX:
                self._requests.clear()
            self._requests[usual] = request
        return request

    def _checked(self, options: ContextOptions) -> ContextRequest:
        format_, model, memory = options.get("format", "openai"), options.get("model"), options.get("memory")
        formats.overhead((), format_)
        changes = policy_changes(options)
        if memory is not None and (unknown := memory.sections.keys() - self.sections.keys()):
            raise InvalidInput(f"memory.sections.{min(unknown)}", f"must be one of {', '.join(self.sections)}")
        return ContextRequest(
            self.policy,
            changes,
            changed_policy(self.policy, changes, options, self.sections),
            self.count_tokens,
            self.count_tokens if model is None else counter_of_model(model),
            format_,
            options.get("tools", ()),
            memory,
            self.versions + tuple((fold.name, fold.version) for fold in self.sectioned),
            self.settings.context_messages,
            self.settings.context_bytes,
            self.sections,
            self.sectioned,
        )

    async def records(
        self, messages: Sequence[Message], now: int, *, salt: bytes = b"", limit: int | None = None
    ) -> list[codec.Record]:
        """The messages as they are stored; while there are many or large ones, others have their turn in between."""
        limit = limit or self.settings.messages_per_call
        if not messages:
            raise InvalidInput("messages", "must not be empty")
        if len(messages) > limit:
            raise TooLarge("messages", limit=limit, actual=len(messages), unit="messages")
        records, weight = [], 0
        for index, message in enumerate(messages):
            record = self._record(index, message, salt, now)
            records.append(record)
            weight += len(record.body) + _RECORD_WEIGHT
            if weight > _TURN_WEIGHT:
                weight = 0
                await asyncio.sleep(0)  # decision 047: 8 MB in one go would stop everybody for 100 ms
        return records

    def _record(self, index: int, message: Message, salt: bytes, now: int) -> codec.Record:
        tokens = self.count_tokens(message) if message.tokens is None else message.tokens
        try:
            return codec.encode(message, tokens=tokens, limits=self.limits, salt=salt, received_at=now)
        except InvalidInput as error:
            raise error.within(f"messages[{index}]") from None
