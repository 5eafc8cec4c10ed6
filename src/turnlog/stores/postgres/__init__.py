"""The store on PostgreSQL: committed before the acknowledgement, many processes on the same data."""

from turnlog.errors import needs_extra

with needs_extra("postgres", "psycopg"):
    from turnlog.stores.postgres.store import PostgresStore

__all__ = ["PostgresStore"]
