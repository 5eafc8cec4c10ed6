"""Import and export: nothing lost, nothing doubled, nothing changed."""

import gzip
import io
import json
import os
import zipfile
from pathlib import Path
from random import Random

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


def test_a_redacted_message_stays_redacted_and_keeps_its_tokens(filled, other):
    assert filled("redact", "sample-01", "2", "-y").code == 0
    copy = other("copy")
    out = filled("export", "sample-01").out.encode()
    assert copy("import", "-", stdin=out).code == 0
    copied = _said(copy, "sample-01")[1]
    assert (copied["redacted"], copied["tokens"]) == (True, _said(filled, "sample-01")[1]["tokens"])
    assert filled("import", str(SAMPLE), "--rejects", "r", "--json").json["added"] == 0


def test_a_line_of_memory_is_passed_over_and_counted(turnlog):
    memory = {"user_id": "ana", "memory": {"facts": []}}
    talk = {"user_id": "ana", "memory": {"kept": 1}, "messages": [{"role": "user", "content": "hi"}]}
    file = _file(turnlog, memory, talk, {"memory": "none"})
    ran = turnlog("import", file, "--json")
    assert (ran.code, ran.json["conversations"], ran.json["passed"], ran.json["rejected"]) == (3, 1, 1, 1)
    assert "1 lines of memory skipped" in turnlog("import", file).out
    assert [line["metadata"] for line in turnlog("export").lines] == [{"memory": {"kept": 1}}]


def test_times_are_kept_or_taken_from_the_messages(turnlog, other):
    def line(id_: str, year: int, **fields: str) -> dict[str, object]:
        said = [{"role": "user", "content": "hi", "created_at": f"{year}-01-0{day}T00:00:00Z"} for day in (2, 3)]
        return {"id": id_, "messages": said} | fields

    told = line("told", 2022, created_at="2021-05-01T00:00:00Z", updated_at="2023-05-01T00:00:00Z")
    future = line("future", 2024, updated_at="2999-01-01T00:00:00Z")
    archived = line("archived", 2019) | {"archived": True}
    file = _file(turnlog, told, line("own", 2020), future, archived)
    assert turnlog("import", file, TURNLOG_MESSAGES_PER_CALL="1").code == 0
    times = {each["id"]: (each["created_at"][:10], each["updated_at"][:10]) for each in turnlog("export").lines}
    assert times["told"] == ("2021-05-01", "2023-05-01")
    assert (times["own"], times["archived"]) == (("2020-01-02", "2020-01-03"), ("2019-01-02", "2019-01-03"))
    assert times["future"][0] == "2024-01-02" and times["future"][1] < "2999"
    assert [each["id"] for each in turnlog("list", "--json").json["data"]] == ["future", "told", "own", "archived"]
    copy = other("copy")
    assert copy("import", "-", stdin=turnlog("export").out.encode()).code == 0
    assert copy("export").out == turnlog("export").out
    assert copy("memory", "rebuild", "--fold", "knowledge", "--all", "--json").json["messages"] == 8


def test_a_line_takes_id_or_what_other_tools_call_it(turnlog):
    said = {"messages": [{"role": "user", "content": "hi"}]}
    both = said | {"id": "c", "conversation_id": "d"}
    file = _file(turnlog, said | {"id": "a"}, said | {"conversation_id": "b"}, both, said | {"id": "-x"})
    ran = turnlog("import", file)
    assert ran.code == 3 and "line 3: conversation_id: must be the same as id" in ran.err
    assert {each["id"] for each in turnlog("export").lines} == {"a", "b", "-x"}


def test_one_id_with_two_bodies_refuses_a_long_line_as_a_whole(turnlog):
    messages = [{"id": f"m{number}", "role": "user", "content": "x"} for number in range(4)]
    file = _file(turnlog, {"id": "c", "messages": [*messages, {"id": "m1", "role": "user", "content": "y"}]})
    ran = turnlog("import", file, TURNLOG_MESSAGES_PER_CALL="2")
    assert ran.code == 3 and "message id 'm1' is already at seq 2" in ran.err
    assert turnlog("show", "c").code == 1


LINES = b"".join(
    json.dumps({"id": f"c{n}", "messages": [{"role": "user", "content": "hi"}]}).encode() + b"\n" for n in (1, 2)
)


def _zip(*names: str) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name in names:
            archive.writestr(name, LINES)
    return data.getvalue()


@pytest.mark.parametrize(
    "data",
    [gzip.compress(LINES), b"\xef\xbb\xbf" + LINES, gzip.compress(b"\xef\xbb\xbf" + LINES),
     _zip("a/x.jsonl", "__MACOSX/x.jsonl"), b"\n" + LINES.rstrip()],
)  # fmt: skip
def test_compressed_lines_and_a_byte_order_mark_are_read(turnlog, data):
    (turnlog.cwd / "file").write_bytes(data)
    assert turnlog("import", "file", "--json").json["added"] == 2
    if not data.startswith(b"PK"):
        assert turnlog("import", "-", "--json", stdin=data).json["present"] == 2


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b'[{"messages": []}]', "is a JSON array: write one object per line with `jq -c '.[]'`"),
        (json.dumps({"messages": []}, indent=2).encode(), "is indented JSON"),
        ('{"messages": []}'.encode("utf-16"), "is UTF-16"),
        ('{"messages": []}'.encode("utf-16-le"), "is UTF-16"),
        (b"SQLite format 3\0" + b"\0" * 100, "is an SQLite database"),
        (_zip("readme.txt"), "is a zip archive without a file of JSON Lines"),
        (gzip.compress(LINES)[:-9], "is a damaged gzip file"),
        (b"PK\x03\x04broken", "is a damaged zip archive"),
    ],
)
def test_a_file_of_another_kind_is_refused_by_what_it_is(turnlog, data, told):
    (turnlog.cwd / "file").write_bytes(data)
    ran = turnlog("import", "file")
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err and ran.err.count("\n") == 1
    assert not (turnlog.cwd / "file.rejects.jsonl").exists()


def _zip_of(data: bytes) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.jsonl", data)
    return packed.getvalue()


@pytest.mark.parametrize(("pack", "kind"), [(gzip.compress, "gzip file"), (_zip_of, "zip archive")])
def test_nothing_is_imported_of_a_compressed_file_that_is_damaged_in_its_middle(turnlog, pack, kind):
    random = Random(kind)
    lines = b"".join(
        json.dumps({"id": f"c{n}", "messages": [{"role": "user", "content": f"{random.random()}"}]}).encode() + b"\n"
        for n in range(2000)
    )
    whole = pack(lines)
    middle = len(whole) // 2
    for damaged in (whole[:middle], whole[:middle] + bytes(40) + whole[middle + 40 :]):
        (turnlog.cwd / "file").write_bytes(damaged)
        ran = turnlog("import", "file")
        assert (ran.code, ran.out) == (1, "")
        assert f"is a damaged {kind}" in ran.err and ran.err.count("\n") == 1
        assert turnlog("list", "--json").json["data"] == []
    (turnlog.cwd / "file").write_bytes(whole)
    assert turnlog("import", "file", "--json").json["added"] == 2000


def test_a_damaged_gzip_from_a_pipe_says_that_lines_were_imported(turnlog):
    ran = turnlog("import", "-", stdin=gzip.compress(LINES)[:-9])
    assert ran.code == 1 and "is a damaged gzip file" in ran.err
    assert "the lines before the damage are imported" in ran.err


def test_a_zip_archive_with_a_password_is_refused(turnlog):
    data = bytearray(_zip("x.jsonl"))
    for mark, place in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flag of encryption, in both headers
        data[data.index(mark) + place] |= 1
    (turnlog.cwd / "file").write_bytes(data)
    ran = turnlog("import", "file")
    assert ran.code == 1 and "is a zip archive that cannot be read" in ran.err and "password" in ran.err


def test_a_directory_is_refused_and_a_pipe_is_read(turnlog):
    assert "is a directory: give one file" in turnlog("import", ".").err
    pipe = turnlog.cwd / "pipe"
    os.mkfifo(pipe)
    process = turnlog.start("import", "pipe", "--json")
    assert process.stderr.readline() == b"turnlog: waiting for data on the pipe pipe\n"
    pipe.write_bytes(LINES)
    out, _ = process.communicate(timeout=60)
    assert json.loads(out)["added"] == 2


def test_export_writes_to_stdout_when_told_so(filled):
    assert filled("export", "sample-01", "--output", "-").out == filled("export", "sample-01").out
    assert not (filled.cwd / "-").exists()
