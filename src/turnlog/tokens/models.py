"""From a name, of a tokenizer or a model, to its counter."""

import re
from functools import lru_cache

from turnlog.errors import InvalidInput
from turnlog.message import Message
from turnlog.tokens import tokenizers
from turnlog.tokens.counter import Counter, TokenCounter
from turnlog.tokens.media import Area, Flat, ImageRule, Patches, Tiles
from turnlog.tokens.tools import AsJson, Declared

_O200K = Declared(start=7)
_CL100K = Declared(start=10)
_END = r"(?![a-z0-9])"
_DEARER_PICTURES: tuple[tuple[str, str, ImageRule], ...] = (
    ("gpt-4o-mini", rf"gpt-4o-mini{_END}", Tiles(2833, 5667)),
    ("gpt-4.1-mini", rf"gpt-4\.1-mini{_END}", Patches(1.62)),
    ("gpt-4.1-nano", rf"gpt-4\.1-nano{_END}", Patches(2.46)),
    ("gpt-5-mini", rf"gpt-5(\.\d+)?-mini{_END}", Patches(1.62)),
    ("gpt-5-nano", rf"gpt-5(\.\d+)?-nano{_END}", Patches(2.46)),
    ("o4-mini", rf"o4-mini{_END}", Patches(1.72)),
)
"""Models of o200k_base whose pictures may cost more than those of gpt-4o, which the other ones undercut."""
_ENCODINGS = (
    ("o200k_base", rf"(gpt-(5|4\.5|4\.1|4o|oss|realtime|audio)|chatgpt|codex|o1|o3|o4){_END}"),
    ("o200k_base", r"chatgpt-4o"),
    ("cl100k_base", rf"(gpt-(4|3\.5|35)|text-embedding-(ada-002|3)|(davinci|babbage)-002){_END}"),
)
_HF_OVERHEAD = 5
"""Tokens around a message in the templates of Llama, Qwen, Gemma and Mistral: 4 or 5, the role among them."""
_CLAUDE_OVERHEAD = 6
_CLAUDE_TOOLS = 700
"""The instructions that Anthropic adds when tools are offered; its table has 264 to 530 for its older models."""


@lru_cache(maxsize=256)
def counter(name: str) -> Counter:
    """The counter for `name`: a tokenizer (`o200k_base`, `cl100k_base`, `estimate`, `hf:/path/tokenizer.json`) or a model.

    Raises `InvalidInput` for an unknown name or a missing file, `MissingExtra` for a missing package. It reads files:
    names in requests go to `counter_of_model`.
    """
    if name.startswith("hf:"):
        text = tokenizers.hugging_face(name.removeprefix("hf:"))
        return Counter(name, True, text, Flat(), AsJson(), _HF_OVERHEAD)
    if name in ("o200k_base", "cl100k_base"):
        return _exact(name, name)
    found = counter_of_model(name or "?")
    if found.name == "estimate" != name:
        known = "estimate, o200k_base, cl100k_base, hf:/path/tokenizer.json, or a model of OpenAI or Anthropic"
        raise InvalidInput("tokenizer", f"{name!r} is not known; it must be {known}")
    return found


MODEL_LENGTH_MAX = 255
"""Characters of a model's name, at most: names are remembered, whoever sends them."""


@lru_cache(maxsize=256)
def counter_of_model(model: str) -> Counter:
    """The counter for a model, dated, fine-tuned (`ft:gpt-4o:…`) or behind a provider's prefix (`openai/gpt-4o`).

    A model of another vendor gets an estimate: `exact` is False. Raises `MissingExtra` when the model's tokenizer is
    published and the package that has it is not installed.
    """
    if not model or model.startswith("hf:"):
        raise InvalidInput("model", "must name a model or a tokenizer")
    if len(model) > MODEL_LENGTH_MAX:
        raise InvalidInput("model", f"must have at most {MODEL_LENGTH_MAX} characters")
    for segment in re.split(r"[/:]", model.lower()):
        if found := _openai(segment):
            return found
    if "claude" in model.lower():
        return Counter("claude", False, tokenizers.claude, Area(), AsJson(_CLAUDE_TOOLS), _CLAUDE_OVERHEAD)
    return Counter("estimate", False, tokenizers.estimate, Flat(), AsJson())


def _openai(model: str) -> Counter | None:
    for name, pattern, image in _DEARER_PICTURES:
        if re.match(pattern, model):
            return _exact(name, "o200k_base", image)
    for encoding, pattern in _ENCODINGS:
        if re.match(pattern, model):
            return _exact(encoding, encoding)
    return None


def _exact(name: str, encoding: str, image: ImageRule | None = None) -> Counter:
    tools = _O200K if encoding == "o200k_base" else _CL100K
    return Counter(name, True, tokenizers.openai(encoding), image or Tiles(), tools)


class _PlainCounter(Counter, frozen=True, kw_only=True):
    """A counter that asks a plain function."""

    function: TokenCounter

    def __call__(self, message: Message) -> int:
        tokens = self.function(message)
        if type(tokens) is not int or tokens < 0:
            raise InvalidInput("count_tokens", f"must return a whole number from 0 on, not {tokens!r}")
        return tokens


def as_counter(count: TokenCounter) -> Counter:
    """`count`, or a counter that asks it where it is a plain function; tools and their schemas are estimated then.

    Raises `InvalidInput` for what cannot be called.
    """
    if isinstance(count, Counter):
        return count
    if not callable(count):
        raise InvalidInput("count_tokens", "must be a Counter or a function that takes a Message and returns its tokens")
    base = counter("estimate")
    name = f"function {getattr(count, '__module__', '')}.{getattr(count, '__qualname__', type(count).__qualname__)}"
    return _PlainCounter(name, False, base.text, base.image, base.schemas, function=count)
