"""The command `turnlog`: arguments in, exit code out.

It ends with 0 when all went well, 1 on an error of turnlog, 2 on wrong usage, 3 when an import refused some lines.
"""

import sys


def main() -> None:
    """Run the command with the arguments of this process."""
    try:
        from turnlog.cli import app
    except ModuleNotFoundError as error:
        if error.name != "click":
            raise
        sys.exit("turnlog: this needs the extra 'cli': pip install 'turnlog[cli]'")
    app.main(prog_name="turnlog")
