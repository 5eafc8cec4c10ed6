"""The kinds of store that there are; the fixture `store_url` knows how to come by one."""

SHARED = ["sqlite", "postgres", "valkey", "cluster"]
"""Those that several processes can share."""

ALL = ["ram", *SHARED]
