"""The command `turnlog`: arguments in, exit code out.

It ends with 0 when all went well, 1 on an error of turnlog, 2 on wrong usage, 3 when an import refused some lines.
"""

import sys


def main() -> None:
    """Run the command with the arguments of this process."""
    try:
        from turnlog.cli.commands import app
    except ModuleNotFoundError as error:
        if error.name not in ("typer", "rich"):
            raise
        sys.exit("turnlog: the command line needs typer and rich: pip install 'turnlog[cli]'")
    app(prog_name="turnlog")
