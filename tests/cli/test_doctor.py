"""`turnlog doctor` states what the store promises."""

import json

import pytest


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
        "schema": ("1", "ok"),
    }
    weaker = turnlog("doctor", "--store", f"{store_url}?options=-csynchronous_commit%3Dlocal", "--json")
    assert verdicts(weaker)["synchronous_commit"] == ("local", "ok")
