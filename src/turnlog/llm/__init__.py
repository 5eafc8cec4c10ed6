"""Language models behind the port `LLM`."""

from turnlog.errors import InvalidInput
from turnlog.llm.openai import OpenAIModel
from turnlog.llm.usage import Ledger, Prices, Spending, spent
from turnlog.settings import Settings

__all__ = ["Ledger", "OpenAIModel", "Prices", "Spending", "open_model", "spent"]


def open_model(settings: Settings, ledger: Ledger | None = None) -> OpenAIModel | None:
    """The language model that `settings` name, None if they name none; its calls are entered in `ledger`.

    Raises `InvalidInput` for an address that is none, and `MissingExtra` without the package `openai`.
    """
    if not settings.llm_model:
        return None
    if not settings.llm_url.startswith(("http://", "https://")):
        raise InvalidInput("llm_url", "must begin with http:// or https://")
    return OpenAIModel(
        settings.llm_model,
        url=settings.llm_url,
        key=settings.llm_key,
        window=settings.llm_window,
        timeout_s=settings.llm_timeout_s,
        retries=settings.llm_retries,
        concurrency=settings.llm_concurrency,
        reply_bytes=settings.llm_reply_bytes,
        request=settings.llm_request,
        prices=Prices(settings.llm_price_input, settings.llm_price_cached, settings.llm_price_output),
        ledger=ledger,
    )
