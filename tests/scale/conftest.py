"""Which tests are for `make faults` alone."""

import os

collect_ignore = [] if os.environ.get("TURNLOG_FAULTS") == "long" else ["test_patroni.py"]
