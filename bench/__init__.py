"""What turnlog costs, each time measured beside a bare loop or endpoint in the same run: `python -m bench`."""
