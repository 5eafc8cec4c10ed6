"""`turnlog context`: what the next model call is to see, and why."""

import sys
from typing import Annotated, Any

import msgspec
import typer

from turnlog import codec
from turnlog.cli.budget_chart import print_account
from turnlog.cli.options import AsJson, ConversationId, StoreUrl, Tenant, run
from turnlog.cli.output import print_records, raw, say, write, write_json
from turnlog.log.assembly import Context
from turnlog.log.turnlog import Turnlog

Policy = dict[str, Any]


def _policy(text: str) -> Policy:
    """The policy in an option: a preset's name, or JSON."""
    if not text.lstrip().startswith("{"):
        return {"preset": text}
    try:
        return msgspec.json.decode(text, type=Policy)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"must be a preset's name or a JSON object: {error}") from None


def context(
    conversation_id: ConversationId,
    budget: Annotated[int | None, typer.Option(min=1, help="What it may cost, in tokens. [default: 8000]")] = None,
    model: Annotated[str | None, typer.Option(help="Count as this model does.")] = None,
    form: Annotated[
        str | None,
        typer.Option("--format", help="Print the arguments of an SDK: openai, openai-responses, anthropic, gemini, plain."),
    ] = None,
    policy: Annotated[
        Policy | None, typer.Option(parser=_policy, metavar="NAME|JSON", help="A preset, or changes of the policy.")
    ] = None,
    max_messages: Annotated[int | None, typer.Option(min=1, help="Most messages of the window.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Show what is in and what is out, and why.")] = False,
    store: StoreUrl = None,
    tenant: Tenant = None,
    as_json: AsJson = False,
) -> None:
    """Show what the next model call is to see."""

    async def work(log: Turnlog) -> tuple[Context, dict[str, Any] | None]:
        found = await log.conversation(conversation_id).context(
            budget=budget, model=model, format=form or "openai", policy=policy, max_messages=max_messages
        )
        return found, found.render(form) if form else None

    found, rendered = run(work, store, tenant, as_json)
    if as_json:
        write_json(_fields(found, rendered, explain))
    elif rendered is not None:
        write(msgspec.json.format(msgspec.json.encode(rendered)) + b"\n")
        if explain:
            print_account(found, sys.stderr)
    elif explain:
        print_account(found, sys.stdout)
    else:
        print_records(found.records)
        say(_summary(found))


def _summary(found: Context) -> str:
    return (
        f"{len(found.records)} messages, {found.tokens} of {found.budget_tokens} tokens; {found.omitted} messages left out"
    )


def _fields(found: Context, rendered: dict[str, Any] | None, explain: bool) -> dict[str, Any]:
    """A context as JSON shows it: the names of the HTTP service."""
    fields: dict[str, Any] = {
        "messages": [raw(codec.said(record)) for record in found.records],
        "tokens": found.tokens,
        "budget": found.budget_tokens,
        "sections": found.sections,
        "coverage": found.coverage,
        "prefix_hash": found.prefix_hash,
        "shared_tokens": found.shared_tokens,
    }
    if rendered is not None:
        fields["rendered"] = rendered
    if explain:
        fields["explain"] = found.explain
    return fields
