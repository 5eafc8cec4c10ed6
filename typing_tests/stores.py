"""Every store is a `Store`, down to the types of its parameters."""

from turnlog import Store
from turnlog.stores.ram import RamStore
from turnlog.stores.redis import RedisStore
from turnlog.stores.sqlite import SqliteStore

ram: Store = RamStore()
sqlite: Store = SqliteStore("turnlog.db", timeout_s=5.0)
redis: Store = RedisStore("redis://localhost", timeout_s=5.0)
