"""Examines what the configuration of a server means for the promises of the store."""

from turnlog.store import Finding, SchemaVersion
from turnlog.stores.postgres import schema
from turnlog.stores.postgres.connection import Pool

_SETTINGS = """
SELECT current_setting('server_version'), current_setting('fsync'), current_setting('full_page_writes'),
    current_setting('synchronous_commit'), current_setting('synchronous_standby_names'),
    CASE WHEN pg_is_in_recovery() THEN 'yes' ELSE 'no' END, current_setting('transaction_isolation')
"""
_WAITS = {
    "remote_apply": "A commit waits until a named standby shows it.",
    "on": "A commit waits until a named standby has it on its disk.",
    "off": "turnlog's commits wait for a named standby all the same.",
    "remote_write": "A commit waits until a named standby has it in memory; power lost on both may take the last of it.",
    "local": "A commit waits for no standby; a failover may lose what was acknowledged last.",
}


async def examine(pool: Pool) -> list[Finding]:
    """Return the findings. Raises `StoreUnavailable`."""
    [row] = await pool.ask(_SETTINGS)
    version, fsync, full_pages, commit, standbys, recovery, isolation = ((value or b"").decode() for value in row)
    return [
        Finding("version", version, "ok", "The server's version."),
        _fsync(fsync),
        _full_page_writes(full_pages),
        _commit(commit),
        _standbys(standbys, commit),
        _recovery(recovery),
        _isolation(isolation),
        _schema(await schema.version(pool)),
    ]


def _fsync(value: str) -> Finding:
    if value == "on":
        return Finding("fsync", value, "ok", "What is acknowledged is on the disk, also after a power cut.")
    return Finding("fsync", value, "bad", "A power cut may lose what was acknowledged, and all the rest with it.")


def _full_page_writes(value: str) -> Finding:
    if value == "on":
        return Finding("full_page_writes", value, "ok", "A page that a power cut tore is made whole.")
    return Finding(
        "full_page_writes", value, "warn", "A page that a power cut tore stays torn, but on disks that prevent it."
    )


def _commit(value: str) -> Finding:
    if value == "off":
        return Finding("synchronous_commit", value, "ok", "turnlog's commits wait for the disk all the same.")
    return Finding("synchronous_commit", value, "ok", "A commit waits for the disk.")


def _standbys(names: str, commit: str) -> Finding:
    if not names:
        meaning = "A commit waits for no standby; a failover may lose what was acknowledged last."
        return Finding("synchronous_standby_names", "", "warn", meaning)
    weak = commit in ("local", "remote_write")
    return Finding("synchronous_standby_names", names, "warn" if weak else "ok", _WAITS.get(commit, _WAITS["on"]))


def _recovery(value: str) -> Finding:
    if value == "no":
        return Finding("in_recovery", value, "ok", "The server takes writes.")
    return Finding("in_recovery", value, "bad", "This is a standby: it takes no writes.")


def _isolation(value: str) -> Finding:
    if value == "read committed":
        return Finding("transaction_isolation", value, "ok", "What is read behind a lock is what is there then.")
    meaning = (
        "turnlog refuses to write, and a pooler keeps it from choosing `read committed` itself: "
        "ALTER ROLE ... SET default_transaction_isolation = 'read committed'."
    )
    return Finding("transaction_isolation", value, "bad", meaning)


def _schema(version: SchemaVersion) -> Finding:
    found, supported = version
    if found >= supported:
        return Finding("schema", str(found), "ok", "The data has the form that this turnlog writes.")
    return Finding("schema", str(found), "warn", f"Opening the store brings it to {supported}.")
