"""The commands and their summaries. The module of a command is imported when it runs or when its own help is asked for.

decision 055
"""

import os
from importlib import import_module
from typing import Any

import click
from click.shell_completion import get_completion_class

import turnlog

GROUPS = {
    "memory": "Memory: its progress, its failures, and rebuilding it.",
    "user": "What is known of a person: show, correct, export, erase.",
    "schema": "The schema of the stored data.",
}
COMMANDS = {
    "serve": ("admin:serve", "Serve HTTP until SIGINT or SIGTERM."),
    "worker": ("admin:worker", "Fold memory until SIGINT or SIGTERM."),
    "list": ("conversations:list_", "List conversations, latest first."),
    "show": ("conversations:show", "Show a conversation and its newest messages."),
    "tail": ("conversations:tail", "Print the last messages; with --json, one per line."),
    "append": ("conversations:append", "Append a message to a conversation."),
    "context": ("context:context", "Show the context for the next model call."),
    "fork": ("conversations:fork", "Create a conversation that shares the log of another one."),
    "redact": ("conversations:redact", "Erase the content of one message."),
    "delete": ("conversations:delete", "Erase a conversation."),
    "import": ("transfer:import_", "Import conversations from JSON Lines."),
    "export": ("transfer:export", "Export conversations as JSON Lines."),
    "memory status": ("memory:status_", "Show the progress, failures and cost of folds."),
    "memory show": ("memory:show", "Show the memory of a conversation and its sources."),
    "memory refresh": ("memory:refresh", "Fold a conversation now, and show its memory."),
    "memory retry": ("memory:retry", "Retry failed folds without waiting."),
    "memory rebuild": ("rebuild:rebuild", "Rebuild one kind of memory from the log."),
    "user show": ("users:show", "Show what is known of a user and its sources."),
    "user export": ("users:export", "Export all data of a user as JSON Lines."),
    "user erase": ("users:erase", "Erase all data of a user, and print a receipt."),
    "user correct": ("users:correct", "Correct a fact about a user, or add one."),
    "user forget": ("users:forget", "Remove a fact about a user."),
    "verify": ("verify:verify", "Check logs for changes made behind the store's back."),
    "doctor": ("admin:doctor", "Check what the store guarantees as it is configured."),
    "schema check": ("admin:schema_check", "Check whether the stored data has the current schema."),
    "schema migrate": ("admin:schema_migrate", "Migrate the stored data to the current schema."),
}
"""The function and the summary of each command."""


class Group(click.Group):
    """A group that lists its commands in the order of the table, not of the alphabet."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)


class Deferred(click.Command):
    """A command of which only the name and the summary are known until its context is made."""

    def __init__(self, name: str, place: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self.place = place

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        return self.load().make_context(*args, **extra)

    def load(self) -> click.Command:
        """The command itself."""
        module, _, name = self.place.partition(":")
        loaded = getattr(import_module(f"turnlog.cli.{module}"), name)
        assert isinstance(loaded, click.Command)
        return loaded


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "show_default": True})
@click.version_option(turnlog.__version__, message="turnlog %(version)s")
@click.option("--store", metavar="URL", help="The store, as each command takes it.")
@click.option("--tenant", metavar="NAME", help="The tenant, as each command takes it.")
def main(store: str | None, tenant: str | None) -> None:
    """Keeps the conversation state of AI assistants."""
    # an option wins over a variable, and one behind the command over one before it
    for variable, value in (("TURNLOG_STORE", store), ("TURNLOG_TENANT", tenant)):
        if value is not None:
            os.environ[variable] = value


@main.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
def completion(shell: str) -> None:
    """Print the script that completes commands and options in a shell."""
    kind = get_completion_class(shell)
    assert kind is not None
    click.echo(kind(main, {}, "turnlog", "_TURNLOG_COMPLETE").source())


def _register() -> None:
    groups = {"": main}
    for path, (place, summary) in COMMANDS.items():
        group, _, name = path.rpartition(" ")
        if group not in groups:
            groups[group] = Group(group, help=GROUPS[group])
            main.add_command(groups[group])
        groups[group].add_command(Deferred(name, place, summary))


_register()
