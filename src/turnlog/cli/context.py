"""`turnlog context`: what the next model call is to see, and why."""

import sys
from typing import Any, TextIO

import click
import msgspec

from turnlog import codec
from turnlog.cli.options import CONVERSATION_ID, command, on_tenant, run
from turnlog.cli.output import print_records, say, write, write_json
from turnlog.log.assembly import Context
from turnlog.log.turnlog import Turnlog
from turnlog.memory.user.as_json import digest_fields

Policy = dict[str, Any]


def _policy(ctx: click.Context, param: click.Parameter, text: str | None) -> Policy | None:
    """The policy in an option: a preset's name, or a JSON object."""
    if text is None:
        return None
    if not text.lstrip().startswith("{"):
        return {"preset": text}
    try:
        return msgspec.json.decode(text, type=Policy)
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"must be a preset's name or a JSON object: {error}") from None


@command("context")
@CONVERSATION_ID
@click.option("--budget", type=click.IntRange(min=1), show_default="8000", help="Budget of the context, in tokens.")
@click.option("--model", help="Count tokens as this model does.")
@click.option("--format", "form", help="Print the arguments of an SDK: openai, openai-responses, anthropic, gemini, plain.")
@click.option("--policy", metavar="NAME|JSON", callback=_policy, help="A preset, or fields of the policy as JSON.")
@click.option("--max-messages", type=click.IntRange(min=1), help="Most messages in the window.")
@click.option("--explain", is_flag=True, help="Show what is included, what is left out, and why.")
@on_tenant
def context(
    conversation_id: str,
    budget: int | None,
    model: str | None,
    form: str | None,
    policy: Policy | None,
    max_messages: int | None,
    explain: bool,
    store: str | None,
    tenant: str | None,
    as_json: bool,
) -> None:
    """Show the context for the next model call."""

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
            _explain(found, sys.stderr)
    elif explain:
        _explain(found, sys.stdout)
    else:
        print_records(found.records)
        say(_summary(found))


def _explain(found: Context, file: TextIO) -> None:
    from turnlog.cli.budget_chart import print_account  # which imports rich

    print_account(found, file)


def _summary(found: Context) -> str:
    return (
        f"{len(found.records)} messages, {found.tokens} of {found.budget_tokens} tokens; {found.omitted} messages left out"
    )


def _fields(found: Context, rendered: dict[str, Any] | None, explain: bool) -> dict[str, Any]:
    """A context as JSON shows it: the names of the HTTP service."""
    fields: dict[str, Any] = {
        "messages": [msgspec.Raw(codec.said(record)) for record in found.records],
        "memory": digest_fields(found.known),
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
