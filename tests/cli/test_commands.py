"""Each command as a person and as a program sees it."""

import json

import httpx
import pytest


def test_list_shows_the_latest_first_and_where_to_go_on(filled):
    assert "sample-03" in filled("list").out
    first = filled("list", "--limit", "10", "--json").json
    rest = filled("list", "--limit", "10", "--cursor", first["next_cursor"], "--json").json
    assert [len(first["data"]), len(rest["data"]), rest["next_cursor"]] == [10, 4, None]
    times = [header["updated_at"] for header in first["data"] + rest["data"]]
    assert times == sorted(times, reverse=True)


def test_list_takes_a_user_and_a_tag(filled):
    mine = filled("list", "--user", "user-1", "--json").json["data"]
    assert {header["id"] for header in mine} == {"sample-02", "sample-06", "sample-10"}
    assert len(filled("list", "--tag", "odd", "--json").json["data"]) == 6


def test_show_prints_the_header_and_the_messages(filled):
    text = filled("show", "sample-04").out
    assert "title: Moving to Lisbon" in text and "東京から → Lisboa" in text
    shown = filled("show", "sample-04", "-n", "2", "--json").json
    assert (shown["head"], shown["has_more"], [message["seq"] for message in shown["messages"]]) == (19, True, [18, 19])


def test_show_prints_tool_calls_and_their_results(filled):
    text = filled("show", "sample-03").out
    assert '-> solve({"loops": 2}) #call_1' in text and "<- #call_1: I1 = 0.5 A" in text


def test_tail_prints_the_last_messages(filled):
    assert len(filled("tail", "sample-01", "-n", "3", "--json").lines) == 3
    assert "[17] assistant" in filled("tail", "sample-01", "-n", "1").out


def test_tail_follows_what_is_added(filled):
    process = filled.start("tail", "sample-01", "-n", "1", "--follow", "--interval", "0.05", "--json")
    try:
        assert json.loads(process.stdout.readline())["seq"] == 17
        line = {"conversation_id": "sample-01", "messages": [{"id": "late", "role": "user", "content": "still here?"}]}
        assert filled("import", "-", stdin=json.dumps(line).encode()).code == 0
        assert json.loads(process.stdout.readline())["id"] == "late"
    finally:
        process.kill()
        process.communicate()


def test_context_shows_whole_exchanges(filled):
    seen = filled("context", "sample-05", "--max-messages", "1", "--json").json
    assert seen["coverage"]["window_from"] == seen["coverage"]["omitted"] + 1 == 18
    assert [message["role"] for message in seen["messages"]] == ["assistant", "tool"]
    assert len(filled("context", "sample-05", "--json").json["messages"]) == 19
    assert "19 messages, 3508 of 8000 tokens; 0 messages left out" in filled("context", "sample-05").out


def test_context_takes_a_policy_by_name_or_as_json(filled):
    assert filled("context", "sample-05", "--policy", "window", "--budget", "900", "--json").json["budget"] == 900
    changed = filled("context", "sample-05", "--policy", '{"budget_tokens": 4000, "pinned": [3]}', "--json").json
    assert (changed["budget"], changed["coverage"]["head"]) == (4000, 19)


def test_context_prints_the_arguments_of_an_sdk(filled):
    assert filled("context", "sample-01", "--format", "gemini").json.keys() == {"system_instruction", "contents"}
    told = filled("context", "sample-01", "--format", "openai", "--json").json
    assert [message["role"] for message in told["rendered"]["messages"]] == [each["role"] for each in told["messages"]]


def test_context_explains_itself(filled):
    bar, legend, where, head, *table = filled(
        "context", "sample-05", "--explain", "--budget", "700", COLUMNS="60"
    ).out.splitlines()
    assert (len(bar), set(bar)) == (60, {"o", "r", "."})
    assert "r recent 64 (9.1%)" in legend and ". free 633" in legend
    assert "67 of 700 tokens; 19 messages: the window begins at 18, 17 left out (1 to 17)" in where
    assert head.split() == ["section", "messages", "tokens", "why"]
    assert [row.split()[:3] for row in table] == [
        ["out", "recent", "1-16"],
        ["out", "recent", "17"],
        ["in", "recent", "18-19"],
    ]
    told = filled("context", "sample-05", "--explain", "--json").json["explain"]
    assert [entry["seq"] for entry in told if entry["included"]] == list(range(1, 20))


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--policy", "fullest", "policy.preset: must be one of window, summary, entity, full"),
        ("--policy", '{"sections": {"weather": 0.1}}', "policy.sections.weather: must be one of"),
        ("--policy", '{"budget": 5}', "policy.budget: is no field of a policy"),
        ("--format", "yaml", "format: must be one of openai"),
        ("--budget", "200000000", "budget: must be a whole number from 1 to 100000000"),
    ],
)
def test_context_names_what_it_cannot_do(filled, option, value, told):
    ran = filled("context", "sample-05", option, value)
    assert (ran.code, ran.out) == (1, "")
    assert told in ran.err


def test_a_bad_policy_in_the_environment_is_named_whatever_the_command(filled):
    unknown = filled("list", TURNLOG_CONTEXT_POLICY='{"sections": {"weather": 0.1}}')
    assert (unknown.code, "context_policy.sections.weather: must be one of" in unknown.err) == (1, True)
    assert "TURNLOG_CONTEXT_POLICY: cannot be" in filled("list", TURNLOG_CONTEXT_POLICY="{full").err
    assert "context_policy.bugdet: is no field" in filled("serve", "--port", "0", TURNLOG_CONTEXT_POLICY='{"bugdet": 1}').err
    told = filled("context", "sample-05", "--json", TURNLOG_CONTEXT_POLICY='{"budget_tokens": 900}').json
    assert told["budget"] == 900


def test_fork_shares_the_log_up_to_a_message(filled):
    made = filled("fork", "sample-01", "--at", "3", "--id", "branch", "--json").json
    assert (made["id"], made["head"], made["parent"]) == (
        "branch",
        3,
        {"conversation_id": "sample-01", "seq": 3},
    )
    assert filled("fork", "sample-01", "--id", "twin").out == "twin\n"
    assert len(filled("tail", "twin", "-n", "100", "--json").lines) == 17


def test_delete_needs_a_yes_where_nobody_can_be_asked(filled):
    assert filled("delete", "sample-01").code == 2
    assert filled("delete", "sample-01", "--yes", "--json").json == {"id": "sample-01", "deleted": True}
    again = filled("delete", "sample-01", "--yes", "--json")
    assert (again.code, json.loads(again.err)["code"]) == (1, "conversation_deleted")
    assert filled("delete", "sample-02", "--yes").out == "sample-02 is erased\n"


def test_schema_tells_its_version_and_migrates(turnlog):
    missing = turnlog("schema", "check", "--json")
    assert (missing.code, missing.json["found"]) == (1, 0)
    assert turnlog("schema", "migrate").code == 0
    assert turnlog("schema", "check", "--json").json["up_to_date"] is True
    assert "up to date" in turnlog("schema", "check").out


def test_another_tenant_sees_nothing(filled):
    assert filled("list", "--tenant", "other", "--json").json["data"] == []
    assert filled("show", "sample-01", TURNLOG_TENANT="other").code == 1


def test_an_error_is_one_line_with_its_code(filled):
    ran = filled("show", "nobody")
    assert (ran.code, ran.out) == (1, "")
    assert ran.err == "turnlog: there is no conversation 'nobody' [conversation_not_found]\n"
    problem = json.loads(filled("show", "nobody", "--json").err)
    assert (problem["code"], problem["conversation_id"]) == ("conversation_not_found", "nobody")


def test_a_store_that_is_not_there_is_not_made_by_reading(turnlog):
    ran = turnlog("list", "--json")
    assert (ran.code, json.loads(ran.err)["code"]) == (1, "store_unavailable")
    assert list(turnlog.cwd.iterdir()) == []


@pytest.mark.parametrize(
    "arguments",
    [
        ["nonsense"],
        ["show"],
        ["show", "a", "-n", "0"],
        ["import", "absent.jsonl"],
        ["serve", "--port", "70000"],
        ["export", "a", "--user", "b"],
        ["list", "--limit", "many"],
        ["context", "a", "--budget", "-1"],
        ["context", "a", "--budget", "many"],
        ["context", "a", "--policy", "{full"],
    ],
)
def test_wrong_usage_ends_with_2(turnlog, arguments):
    ran = turnlog(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err


@pytest.mark.parametrize("store", ["nonsense:", "sqlite:///", "mysql://nowhere"])
def test_a_store_url_that_names_none_is_refused(turnlog, store):
    ran = turnlog("list", "--store", store)
    assert ran.code == 1
    assert "[invalid_input]" in ran.err


def test_a_bad_variable_is_named(turnlog):
    ran = turnlog("list", TURNLOG_MESSAGES_PER_CALL="zero")
    assert ran.code == 1
    assert "TURNLOG_MESSAGES_PER_CALL: cannot be 'zero'" in ran.err


def test_append_takes_a_text_a_message_or_stdin(turnlog):
    assert json.loads(turnlog("append", "c", "hi", "--json").err)["code"] == "store_unavailable"
    assert turnlog("append", "c", "hi", "--create").out.startswith("[1] ")
    receipt = turnlog("append", "c", '{"id": "m", "role": "assistant", "content": "yes?"}', "--json").json
    assert (receipt["id"], receipt["seq"], set(receipt)) == ("m", 2, {"id", "seq", "created_at"})
    assert turnlog("append", "c", "-", "--role", "system", stdin=b'{"role": 1}\n').code == 0
    assert turnlog("append", "c", stdin="{no JSON é".encode()).code == 0
    shown = [(each["role"], each["content"]) for each in turnlog("tail", "c", "--json").lines]
    assert shown == [("user", "hi"), ("assistant", "yes?"), ("system", '{"role": 1}'), ("user", "{no JSON é")]
    assert json.loads(turnlog("append", "d", "hi", "--json").err)["code"] == "conversation_not_found"
    assert turnlog("append", "c", "hi", "--role", "wizard").code == 1


def test_redact_erases_one_message(filled):
    assert filled("redact", "sample-01", "2").code == 2
    assert filled("redact", "sample-01", "2", "-y").out == "message 2 is erased\n"
    told = filled("redact", "sample-01", "3", "--yes", "--json").json
    assert told == {"conversation_id": "sample-01", "seq": 3, "redacted": True}
    assert [each["redacted"] for each in filled("show", "sample-01", "--json").json["messages"][1:3]] == [True, True]
    assert "message_not_found" in filled("redact", "sample-01", "99", "-y").err


def test_an_id_may_begin_with_a_hyphen(turnlog):
    for id_ in ("-V1StGXR8_Z5jdHi6B-my", "-1", "--5a"):
        before = () if id_ == "-V1StGXR8_Z5jdHi6B-my" else ("--",)
        assert turnlog("append", "--create", *before, id_, "hi").code == 0
        assert turnlog("show", "-n", "5", "--json", *before, id_).json["id"] == id_
    assert turnlog("delete", "-V1StGXR8_Z5jdHi6B-my", "-y").code == 0
    assert turnlog("export", "-V1StGXR8_Z5jdHi6B-my", "--json").code == 1
    assert turnlog("list", "-V1StGXR8").code == 2


def test_store_and_tenant_may_stand_before_the_command(filled):
    ran = filled("--store", filled.url, "--tenant", "other", "list", "--json", TURNLOG_STORE="ram:", TURNLOG_TENANT="x")
    assert ran.json["data"] == []
    assert len(filled("--store", "ram:", "list", "--store", filled.url, "--json").json["data"]) == 14


def test_few_messages_per_call_are_enough_for_every_command(filled):
    few = {"TURNLOG_MESSAGES_PER_CALL": "3"}
    assert len(filled("list", "--json", **few).json["data"]) == 14
    first = filled("list", "-n", "4", "--json", **few).json
    assert (len(first["data"]), first["has_more"]) == (4, True)
    rest = filled("list", "--cursor", first["next_cursor"], "--json", **few).json
    assert (len(rest["data"]), rest["has_more"], rest["next_cursor"]) == (10, False, None)
    assert [each["seq"] for each in filled("show", "sample-03", "--json", **few).json["messages"]] == list(range(1, 20))
    assert [each["seq"] for each in filled("tail", "sample-03", "-n", "4", "--json", **few).lines] == [16, 17, 18, 19]
    assert len(filled("export", **few).lines) == 14
    assert filled("verify", "--all", **few).code == 0
    assert filled("memory", "rebuild", "--fold", "knowledge", "--all", **few).code == 0


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script_and_completes_names_without_their_modules(turnlog, shell):
    assert "_TURNLOG_COMPLETE" in turnlog("completion", shell).out
    told = turnlog(_TURNLOG_COMPLETE="bash_complete", COMP_WORDS="turnlog memory r", COMP_CWORD="2").out
    assert [line.partition(",")[2] for line in told.splitlines()] == ["refresh", "retry", "rebuild"]


def test_help_tells_every_default(turnlog):
    assert "default: 50" in turnlog("list", "-h").out and "default: (both)" in turnlog("list", "--help").out
    assert "(sqlite:///data/turnlog.db)" in turnlog("show", "-h").out
    assert "(8000)" in turnlog("context", "-h").out
    assert turnlog("--version").out.startswith("turnlog ")


def test_show_and_context_tell_what_http_tells(filled):
    assert filled("memory", "refresh", "sample-03").code == 0
    with filled.serving() as (url, _):
        state = httpx.get(f"{url}/v1/conversations/sample-03", timeout=60).json()
        context = httpx.post(f"{url}/v1/conversations/sample-03/context", json={"explain": True}, timeout=60).json()
    shown = filled("show", "sample-03", "--json").json
    told = filled("context", "sample-03", "--explain", "--json").json
    renamed = {"context", "conversation_id", "token_estimate"}  # which the service has in older words
    assert {name: state[name] for name in state.keys() - renamed - {"memory"}}.items() <= shown.items()
    assert {name: context[name] for name in context.keys() - renamed - {"memory"}}.items() <= told.items()
    fields = {"user_name", "user_preferences", "current_topic", "entities", "facts", "pending_tasks"}
    assert shown["memory"].keys() == told["memory"].keys() == fields
