"""The command `turnlog`: arguments in, exit code out.

It ends with 0 when all went well, 1 on an error of turnlog, 2 on wrong usage, 3 when an import refused some lines.
"""

import sys

from turnlog.errors import MissingExtra, needs_extra


def main() -> None:
    """Run the command with the arguments of this process."""
    try:
        with needs_extra("cli", "click", "rich"):
            from turnlog.cli import app

            app.main(prog_name="turnlog")
    except MissingExtra as error:
        sys.exit(f"turnlog: {error} [{error.code}]")
