"""`turnlog doctor` states what the store promises."""

import asyncio
import json

import pytest

from support.ports import free_port
from support.valkey import valkey
from turnlog import connect, user


def verdicts(ran):
    return {finding["name"]: (finding["value"], finding["verdict"]) for finding in ran.json}


def test_a_file_as_turnlog_makes_it_keeps_every_promise(filled):
    ran = filled("doctor", "--json")
    assert ran.code == 0, ran.err
    found = verdicts(ran)
    assert found.pop("free_disk")[0].endswith(" MiB")
    assert found == {
        "journal_mode": ("wal", "ok"),
        "synchronous": ("full", "ok"),
        "file_mode": ("0600", "ok"),
        "schema": ("1", "ok"),
    }
    assert all(finding["meaning"] for finding in ran.json)


def test_people_get_a_line_for_each_finding(filled):
    lines = filled("doctor").out.splitlines()
    assert any(line.split()[:3] == ["ok", "synchronous", "full"] for line in lines)
    assert len(lines) == 6


def test_a_file_that_others_may_read_is_a_warning(filled):
    path = filled.cwd / "store" / "turnlog.db"
    path.chmod(0o644)
    ran = filled("doctor", "--json")
    assert (ran.code, verdicts(ran)["file_mode"]) == (0, ("0644", "warn"))


def test_the_store_of_one_process_promises_nothing(turnlog):
    ran = turnlog("doctor", "--store", "ram:", "--json")
    assert (ran.code, verdicts(ran)) == (0, {"durability": ("none", "warn")})


def test_a_store_that_is_not_there_is_not_made(turnlog):
    ran = turnlog("doctor", "--json")
    assert (ran.code, json.loads(ran.err)["code"]) == (1, "store_unavailable")
    assert not (turnlog.cwd / "store").exists()


def test_a_file_of_another_application_is_left_alone(turnlog):
    path = turnlog.cwd / "notes"
    path.write_text("Dear diary, " * 1000)
    ran = turnlog("doctor", "--store", f"sqlite:///{path}", "--json")
    assert (ran.code, json.loads(ran.err)["code"]) == (1, "store_unavailable")
    assert path.read_text() == "Dear diary, " * 1000


@pytest.mark.parametrize("store", ["postgres"])
def test_a_server_of_postgresql_says_what_a_commit_waits_for(turnlog, store, store_url):
    assert turnlog("schema", "migrate", "--store", store_url).code == 0
    ran = turnlog("doctor", "--store", store_url, "--json")
    assert ran.code == 0, ran.err
    found = verdicts(ran)
    assert found.pop("version")[1] == "ok"
    assert found == {
        "fsync": ("on", "ok"),
        "full_page_writes": ("on", "ok"),
        "synchronous_commit": ("on", "ok"),
        "synchronous_standby_names": ("", "warn"),
        "in_recovery": ("no", "ok"),
        "transaction_isolation": ("read committed", "ok"),
        "schema": ("1", "ok"),
    }
    weaker = turnlog("doctor", "--store", f"{store_url}?options=-csynchronous_commit%3Dlocal", "--json")
    assert verdicts(weaker)["synchronous_commit"] == ("local", "ok")


@pytest.mark.parametrize("store", ["valkey"])
def test_a_valkey_server_says_what_a_restart_takes(turnlog, store, store_url):
    ran = turnlog("doctor", "--store", store_url, "--json")
    assert ran.code == 0, ran.err
    found = {name.partition(" ")[2]: told for name, told in verdicts(ran).items()}
    assert found.pop("version")[1] == "ok"
    assert found == {
        "persistence": ("appendonly yes, appendfsync everysec", "warn"),
        "eviction": ("noeviction", "ok"),
        "replicas": ("0 online, durability=server", "warn"),
    }


@pytest.mark.parametrize("store", ["cluster"])
def test_each_primary_of_a_cluster_is_asked(turnlog, store, store_url):
    ran = turnlog("doctor", "--store", f"{store_url}?durability=replicated", "--json")
    assert ran.code == 0, ran.err
    replicas = [told for name, told in verdicts(ran).items() if name.endswith(" replicas")]
    assert replicas == [("1 online, durability=replicated", "ok")] * 3


async def three_that_no_list_holds(server):
    async with connect(server.url) as log:
        for _ in range(3):
            await log.create(user("a"), user_id="ann")
    for name in server.ask("KEYS", "tl:[xu]:*"):
        server.ask("DEL", name)


def test_a_repair_puts_right_what_a_crash_left_half_done(turnlog):
    with valkey() as server:
        asyncio.run(three_that_no_list_holds(server))
        assert turnlog("list", "--store", server.url, "--json").json["data"] == []
        for repaired in ("3", "0"):
            ran = turnlog("doctor", "--repair", "--store", server.url, "--json")
            assert ran.code == 0, ran.err
            assert verdicts(ran)["repaired"] == (repaired, "ok")
        assert len(turnlog("list", "--store", server.url, "--json").json["data"]) == 3


def test_a_file_has_nothing_to_repair(filled):
    ran = filled("doctor", "--repair", "--json")
    assert (ran.code, verdicts(ran)["repaired"]) == (0, ("0", "ok"))


def test_a_server_that_drops_what_it_should_keep_is_told_so(turnlog):
    with valkey("--appendonly", "no", "--maxmemory-policy", "allkeys-lru") as server:
        ran = turnlog("doctor", "--store", server.url, "--json")
    assert ran.code == 1
    assert {name.partition(" ")[2]: verdict for name, (_, verdict) in verdicts(ran).items()} == {
        "version": "ok",
        "persistence": "bad",
        "eviction": "bad",
        "replicas": "warn",
    }


@pytest.mark.parametrize("store", ["postgres", "valkey", "cluster"])
def test_the_schema_of_a_server_is_told_and_migrated(turnlog, store, store_url):
    assert turnlog("schema", "migrate", "--store", store_url).code == 0
    told = turnlog("schema", "check", "--store", store_url, "--json")
    assert (told.code, told.json) == (0, {"found": 1, "supported": 1, "up_to_date": True})


def test_a_server_that_is_not_there_is_one_clear_line(turnlog):
    for store in (f"postgresql://127.0.0.1:{free_port()}/x", f"redis://127.0.0.1:{free_port()}"):
        ran = turnlog("doctor", "--store", store, TURNLOG_STORE_TIMEOUT_S="3")
        assert (ran.code, ran.err.count("\n")) == (1, 1)
        assert "[store_unavailable]" in ran.err
