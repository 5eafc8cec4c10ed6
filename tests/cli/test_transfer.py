"""Import and export: nothing lost, nothing doubled, nothing changed."""

import json
from pathlib import Path

import pytest

SAMPLE = Path(__file__).parents[1] / "data" / "chats.jsonl"

SOURCE = [json.loads(line) for line in SAMPLE.read_text().split("\n") if line]
MESSAGES = sum(len(line["messages"]) for line in SOURCE)


def _file(turnlog, *lines) -> str:
    path = turnlog.cwd / "in.jsonl"
    path.write_bytes(b"\n".join(line if isinstance(line, bytes) else json.dumps(line).encode() for line in lines))
    return str(path)


def _said(turnlog, conversation_id):
    return turnlog("show", conversation_id, "-n", "1000", "--json").json["messages"]


def test_a_second_import_adds_nothing(turnlog):
    first = turnlog("import", str(SAMPLE), "--json", "--rejects", "r").json
    again = turnlog("import", str(SAMPLE), "--json", "--rejects", "r").json
    assert first == {"conversations": 14, "added": MESSAGES, "present": 0, "rejected": 0, "passed": 0, "rejects": None}
    assert again == first | {"added": 0, "present": MESSAGES}


def test_an_export_imports_to_the_same_messages(filled, other):
    assert filled("fork", "sample-03", "--at", "5", "--id", "branch").code == 0
    out = filled("export")
    copy = other("copy")
    assert copy("import", "-", "--json", stdin=out.out.encode()).json["added"] == MESSAGES + 5
    exported = {line["id"]: line for line in out.lines}
    copied = {line["id"]: line for line in copy("export").lines}
    assert len(exported) == 15
    assert exported["branch"]["parent"] == {"conversation_id": "sample-03", "seq": 5}
    for name, line in exported.items():
        assert copied[name]["messages"] == line["messages"]
        assert [message["seq"] for message in line["messages"]] == list(range(1, len(line["messages"]) + 1))
        for field in ("user_id", "title", "tags", "metadata"):
            assert copied[name].get(field) == line.get(field)


def test_export_takes_one_a_user_or_a_tag(filled):
    assert [line["id"] for line in filled("export", "sample-07").lines] == ["sample-07"]
    assert {line["user_id"] for line in filled("export", "--user", "user-2").lines} == {"user-2"}
    assert len(filled("export", "--tag", "even").lines) == 6
    assert filled("export", "--output", "out.jsonl", "--json").json == {"conversations": 14, "output": "out.jsonl"}
    assert len((filled.cwd / "out.jsonl").read_bytes().splitlines()) == 14
    assert filled("export", "nobody").code == 1


def test_bad_lines_are_set_aside_with_number_and_reason(turnlog):
    good = {"conversation_id": "good", "messages": [{"role": "user", "content": "hi"}]}
    bad = {"conversation_id": "bad", "messages": [{"role": "user", "content": "kept?"}, {"role": "wizard", "content": "x"}]}
    nul = {"conversation_id": "nul", "messages": [{"role": "user", "content": "a\0b"}]}
    orphan = {"messages": [{"role": "tool", "content": "no call id"}]}
    lines = [bad, b"{not json", b'{"messages": "none"}', b"\xff\xfe", nul, b"", good, orphan, b"[1]", b'{"messages":[7]}']
    ran = turnlog("import", _file(turnlog, *lines), "--json")
    assert ran.code == 3
    assert ran.json["conversations"] == 1 and ran.json["rejected"] == 8
    assert "line 1: messages[1].role" in ran.err
    rejects = {entry["line"]: entry for entry in map(json.loads, Path(ran.json["rejects"]).read_text().splitlines())}
    assert sorted(rejects) == [1, 2, 3, 4, 5, 8, 9, 10]
    assert json.loads(rejects[1]["text"]) == bad
    assert rejects[5]["reason"] == "messages[0].content: must not hold NUL (U+0000)"
    assert rejects[4]["base64"].startswith("//4")
    assert [header["id"] for header in turnlog("list", "--json").json["data"]] == ["good"]


def test_a_clean_run_leaves_no_rejects(turnlog):
    file = _file(turnlog, b"nonsense")
    assert turnlog("import", file).code == 3
    file = _file(turnlog, {"messages": [{"role": "user", "content": "hi"}]})
    assert turnlog("import", file).code == 0
    assert not (turnlog.cwd / "in.jsonl.rejects.jsonl").exists()


def test_equal_messages_of_one_conversation_stay_two(turnlog):
    file = _file(turnlog, {"conversation_id": "c", "messages": [{"role": "user", "content": "ok"}] * 3})
    for _ in range(2):
        assert turnlog("import", file).code == 0
    assert len(_said(turnlog, "c")) == 3


def test_a_longer_file_adds_what_is_new(turnlog):
    line = {"conversation_id": "c", "messages": [{"role": "user", "content": "one"}]}
    turnlog("import", _file(turnlog, line))
    line["messages"].append({"role": "user", "content": "two"})
    assert turnlog("import", _file(turnlog, line), "--json").json["added"] == 1


def test_a_message_that_changed_in_the_file_is_refused(turnlog):
    line = {"conversation_id": "c", "messages": [{"role": "user", "content": "one"}]}
    turnlog("import", _file(turnlog, line))
    line["messages"][0]["content"] = "another one"
    ran = turnlog("import", _file(turnlog, line))
    assert ran.code == 3 and "line 1:" in ran.err
    assert [message["content"] for message in _said(turnlog, "c")] == ["one"]


def test_a_conversation_longer_than_one_call_is_whole_or_refused(turnlog):
    messages = [{"role": "user", "content": f"n{number}"} for number in range(25)]
    file = _file(turnlog, {"conversation_id": "c", "messages": messages})
    assert turnlog("import", file, TURNLOG_MESSAGES_PER_CALL="10").code == 0
    assert [message["content"] for message in _said(turnlog, "c")] == [message["content"] for message in messages]
    messages[24]["content"] = "x" * 2000
    file = _file(turnlog, {"conversation_id": "d", "messages": messages})
    assert turnlog("import", file, TURNLOG_MESSAGES_PER_CALL="10", TURNLOG_MESSAGE_BYTES="1000").code == 3
    assert turnlog("show", "d").code == 1


def test_unknown_fields_go_to_the_metadata(filled):
    weighed = [message["metadata"] for message in _said(filled, "sample-06") if "weight" in message.get("metadata", {})]
    assert weighed == [{"weight": 0}]
    assert filled("show", "sample-06", "--json").json["metadata"]["source"] == "written for this sample"


@pytest.mark.parametrize("index", [12, 13])
def test_the_training_form_gets_an_id_of_its_own(filled, index):
    line = SOURCE[index]
    (found,) = [exported for exported in filled("export").lines if len(exported["messages"]) == len(line["messages"])]
    assert [message["role"] for message in found["messages"]] == [message["role"] for message in line["messages"]]


def test_a_redacted_message_stays_redacted(filled, other):
    import asyncio

    from turnlog import connect

    async def redact() -> None:
        async with connect(filled.url) as log:
            await log.conversation("sample-01").redact(2)

    asyncio.run(redact())
    copy = other("copy")
    out = filled("export", "sample-01").out.encode()
    assert copy("import", "-", stdin=out).code == 0
    assert _said(copy, "sample-01")[1]["redacted"] is True
    assert filled("import", str(SAMPLE), "--rejects", "r", "--json").json["added"] == 0


def test_a_line_of_memory_is_passed_over_and_counted(turnlog):
    memory = {"user_id": "ana", "memory": {"facts": []}}
    talk = {"user_id": "ana", "memory": {"kept": 1}, "messages": [{"role": "user", "content": "hi"}]}
    file = _file(turnlog, memory, talk, {"memory": "none"})
    ran = turnlog("import", file, "--json")
    assert (ran.code, ran.json["conversations"], ran.json["passed"], ran.json["rejected"]) == (3, 1, 1, 1)
    assert "1 lines of memory skipped" in turnlog("import", file).out
    assert [line["metadata"] for line in turnlog("export").lines] == [{"memory": {"kept": 1}}]
