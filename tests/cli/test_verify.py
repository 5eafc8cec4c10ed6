"""`turnlog verify` tells what was changed behind the store's back, and what it could not check."""

import json
from pathlib import Path

import apsw
import pytest

from turnlog import codec

KEY = {"TURNLOG_INTEGRITY_KEY": "between us"}


def tamper(filled, conversation, seq):
    """Another text in a message, with a checksum that fits."""
    connection = apsw.Connection(str(filled.cwd / "store" / "turnlog.db"))
    sql = "FROM message WHERE seq = ? AND conversation = (SELECT n FROM conversation WHERE id = ?)"
    columns = "n, id, created_at, tokens, body, digest, version"
    [(n, id_, created_at, tokens, body, digest, version)] = connection.execute(
        f"SELECT {columns} {sql}", (seq, conversation)
    ).fetchall()
    changed = body.replace(b'"content":"', b'"content":"Not: ')
    assert changed != body
    check = codec.checksum(codec.Record(id_, created_at, tokens, changed, digest, 0, version))
    connection.execute("UPDATE message SET body = ?, checksum = ? WHERE n = ?", (changed, check, n)).fetchall()
    connection.close()


def test_without_integrity_states_it_says_first_what_could_not_be_checked(filled):
    ran = filled("verify", "sample-01")
    assert (ran.code, ran.err) == (0, "")
    assert ran.out.splitlines() == [
        "note: sample-01 has no integrity state to be compared with: its messages were held against their checksums only",
        "1 conversations: 0 faults",
    ]


def test_a_log_that_is_as_it_was_has_no_faults(filled):
    assert filled("verify", "sample-01", "--export", "d.jsonl").code == 0
    assert filled("verify", "sample-01").out == "1 conversations: 0 faults\n"
    [told] = filled("verify", "sample-01", "--json").lines
    assert told == {"conversation_id": "sample-01", "head": 17, "reached": 17, "faults": [], "notes": []}


def test_an_edit_is_named_and_ends_it_with_1(filled):
    assert filled("verify", "--all", "--export", "d.jsonl").code == 0
    tamper(filled, "sample-01", 3)
    for arguments in (["sample-01"], ["--all"], ["--against", "d.jsonl"]):
        ran = filled("verify", *arguments)
        assert ran.code == 1
        faults = [line for line in ran.out.splitlines() if line.startswith("fault: ")]
        assert faults == ["fault: sample-01 seq 3 is not the message that was stored there"]
    told = filled("verify", "--all", "--json").lines
    assert len(told) == 14
    assert [(each["conversation_id"], each["faults"]) for each in told if each["faults"]] == [
        ("sample-01", [{"seq": 3, "what": "is not the message that was stored there"}])
    ]


def test_users_are_verified_one_by_one(filled):
    told = filled("verify", "--user", "user-1", "--json").lines
    assert {each["conversation_id"] for each in told} == {"sample-02", "sample-06", "sample-10"}


def test_digests_are_held_against_a_copy_that_was_restored(filled, other):
    assert filled("verify", "--all", "--export", "d.jsonl", **KEY).code == 0
    copy = other("copy")
    assert filled("export", "--output", "all.jsonl").code == 0
    lines = Path(filled.cwd / "all.jsonl").read_text().splitlines(keepends=True)
    kept = [line for line in lines if '"sample-02"' not in line]
    shorter = [cut(line) if '"sample-01"' in line else line for line in kept]
    (copy.cwd / "restored.jsonl").write_text("".join(shorter))
    assert copy("import", "restored.jsonl").code == 0
    ran = copy("verify", "--against", "d.jsonl", "--json", **KEY)
    assert ran.code == 1
    faults = {each["conversation_id"]: each["faults"] for each in ran.lines if each["faults"]}
    assert faults == {
        "sample-01": [{"seq": 17, "what": "is missing, and what follows: the exported digest reaches to seq 17"}],
        "sample-02": [{"seq": 0, "what": "is not there"}],
    }


def cut(line):
    """A line of an export without its last message."""
    told = json.loads(line)
    return json.dumps(told | {"messages": told["messages"][:-1]}) + "\n"


def test_what_was_deleted_since_is_noted(filled):
    assert filled("verify", "--all", "--export", "d.jsonl").code == 0
    assert filled("delete", "sample-01", "--yes").code == 0
    ran = filled("verify", "--against", "d.jsonl")
    assert (ran.code, "note: sample-01 was deleted" in ran.out) == (0, True)


def test_digests_of_what_was_changed_do_not_take_the_place_of_older_ones(filled):
    assert filled("verify", "--all", "--export", "d.jsonl").code == 0
    before = (filled.cwd / "d.jsonl").read_bytes()
    tamper(filled, "sample-01", 3)
    ran = filled("verify", "--all", "--against", "d.jsonl", "--export", "d.jsonl")
    assert (ran.code, ran.err) == (1, "turnlog: no digests were written to d.jsonl, because of the faults\n")
    assert (filled.cwd / "d.jsonl").read_bytes() == before
    assert not (filled.cwd / "d.jsonl.part").exists()


def test_another_key_is_a_fault_and_no_key_is_ever_printed(filled):
    assert filled("verify", "sample-01", "--export", "d.jsonl", **KEY).code == 0
    ran = filled("verify", "sample-01", "--against", "d.jsonl", TURNLOG_INTEGRITY_KEY="hearsay")
    assert (ran.code, ran.out.count("made with another key")) == (1, 2)
    again = filled("verify", "sample-01", "--export", "d.jsonl")
    assert (again.code, "fault: sample-01 has an integrity state that was made with another key" in again.out) == (1, True)
    for text in (ran.out, ran.err, again.out, again.err):
        assert "hearsay" not in text


def test_what_was_looked_into_can_be_accepted(filled):
    assert filled("verify", "--all", "--export", "d.jsonl").code == 0
    tamper(filled, "sample-01", 3)
    assert filled("verify", "sample-01", "--accept").code == 1
    assert filled("verify", "sample-01").out == "1 conversations: 0 faults\n"
    assert filled("verify", "--against", "d.jsonl").code == 1
    assert filled("verify", "--all", "--accept", **KEY).code == 1
    assert filled("verify", "--all", **KEY).out == "14 conversations: 0 faults\n"


@pytest.mark.parametrize(
    "arguments", [[], ["sample-01", "--all"], ["--user", "ann", "--all"], ["--against", "nowhere.jsonl"]]
)
def test_wrong_usage_ends_with_2(filled, arguments):
    assert filled("verify", *arguments).code == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [("no JSON\n", "invalid_input"), ('{"conversation_id":"sample-01"}\n', "invalid_input"), ("", "invalid_input")],
)
def test_a_file_that_holds_no_digest_of_it_is_refused(filled, text, code):
    (filled.cwd / "d.jsonl").write_text(text)
    ran = filled("verify", "sample-01", "--against", "d.jsonl", "--json")
    assert (ran.code, json.loads(ran.err)["code"]) == (1, code)


def test_a_conversation_that_is_not_there_is_an_error(filled):
    ran = filled("verify", "nobody", "--json")
    assert (ran.code, json.loads(ran.err)["code"]) == (1, "conversation_not_found")


def test_a_file_that_cannot_be_written_is_one_line(filled):
    ran = filled("verify", "sample-01", "--export", "no/such/place.jsonl")
    assert (ran.code, ran.err) == (1, "turnlog: no/such/place.jsonl.part: No such file or directory\n")
