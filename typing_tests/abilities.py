"""What a store offers beside `Store`, or a fold beside `Fold`, has the types of its ability."""

from turnlog.fold import Fold, OnRecords
from turnlog.integrity.digest import Integrity
from turnlog.store import Doctor, Sweeper, Versioned
from turnlog.stores.postgres import PostgresStore
from turnlog.stores.ram import RamStore
from turnlog.stores.redis import RedisStore
from turnlog.stores.sqlite import SqliteStore

ram_doctor: Doctor = RamStore()
sqlite_doctor: Doctor = SqliteStore("turnlog.db")
sqlite_schema: Versioned = SqliteStore("turnlog.db")
postgres_doctor: Doctor = PostgresStore("postgresql://localhost/turnlog")
postgres_schema: Versioned = PostgresStore("postgresql://localhost/turnlog")
redis_doctor: Doctor = RedisStore("redis://localhost")
redis_schema: Versioned = RedisStore("redis://localhost")
sqlite_sweeper: Sweeper = SqliteStore("turnlog.db")
redis_sweeper: Sweeper = RedisStore("redis://localhost")
integrity: Fold[bytes] = Integrity()
integrity_on_records: OnRecords = Integrity()
