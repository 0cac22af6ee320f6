"""The options of `run`, one by one."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
from decimal import Decimal
from pathlib import Path

import pytest
from stage import BOTH, EXAMPLES, ONBOARD, Onboard, Sandbox, clean_environment, csv_text, nested, person

CLIENTS = EXAMPLES / "clients.csv"


def mode(path: Path) -> str:
    return oct(stat.S_IMODE(path.stat().st_mode))


# -- who -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "keys"),
    [
        ("client.residency_id == 'bh'", {"user_1", "user_3"}),
        ("client.deposit | decimal > 150", {"user_3"}),
        ("client.partner_client_id in ['user_2']", {"user_2"}),
        ("client.nickname is defined or client.residency_id == 'sa'", {"user_2"}),
    ],
)
def test_select_takes_the_clients_for_which_it_holds(
    onboard: Onboard, sandbox: Sandbox, expression: str, keys: set[str]
) -> None:
    clients = onboard.clients(person(1), person(2, residency_id="sa", citizenship_id="sa"), person(3, deposit="200.00"))

    ran = onboard.run(ONBOARD, "--clients", clients, "--select", expression)

    assert 0 == ran.code, ran.story
    assert keys == set(sandbox.clients) == set(ran.outcomes)


def test_limit_takes_the_first_of_those_selected(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(*(person(number, residency_id="bh") for number in range(1, 6)))

    ran = onboard.run(ONBOARD, "--clients", clients, "--select", "client.partner_client_id != 'user_1'", "--limit", 2)

    assert 0 == ran.code, ran.story
    assert {"user_2", "user_3"} == set(sandbox.clients)


def test_nobody_left_is_told_and_nothing_is_sent(onboard: Onboard, sandbox: Sandbox) -> None:
    for words in (("--limit", 0), ("--select", "client.residency_id == 'zz'")):
        ran = onboard.run(ONBOARD, "--clients", CLIENTS, *words)

        assert 2 == ran.code, ran.story
        assert "clients.empty" in ran.err
    assert 0 == sandbox.requests


def test_key_names_the_client_by_another_field(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1, staff_number="A-17"))

    ran = onboard.run(BOTH, "--clients", clients, "--key", "staff_number")

    assert 0 == ran.code, ran.story
    assert {"A-17": "done"} == ran.outcomes
    assert "a-17" in sandbox.orders("user_1")[0]["partner_order_ref"]
    assert "personal-key" not in ran.err


def test_a_key_that_is_personal_data_is_warned_of(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(BOTH, "--clients", onboard.clients(person(1)), "--key", "email")

    assert 0 == ran.code, ran.story
    assert 'warning: the client key "email" is personal data' in ran.err
    assert "[clients.personal-key]" in ran.err


def test_an_input_changes_what_moves(onboard: Onboard, sandbox: Sandbox) -> None:
    playbook = BOTH.read_text("utf-8").replace("money: {USD: {", 'money: {AED: {per_run: "1000"}, USD: {')
    ran = onboard.run(
        onboard.write("aed.playbook.yaml", playbook), "--clients", onboard.clients(person(1)), "--input", "asset=AED"
    )

    assert 0 == ran.code, ran.story
    assert {("user_1", "AED")} == set(sandbox.ledger)
    assert {"AED"} == set(ran.report["totals"]["money"])


# -- how fast, how far ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("jobs", [1, 8, 64])
def test_any_number_of_jobs_comes_to_the_same_end(onboard: Onboard, sandbox: Sandbox, jobs: int) -> None:
    ran = onboard.run(BOTH, "--clients", CLIENTS, "--jobs", jobs, "--limit", 12)

    assert 0 == ran.code, ran.story
    assert {"done": 12} == ran.totals
    moved = ran.report["totals"]["money"]["USD"]
    assert Decimal(moved["deposits"]) == sum(line["deposit"] for line in sandbox.ledger.values())
    assert [f"user_{number}" for number in range(1001, 1013)] == list(ran.outcomes)


def test_a_rate_is_kept(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(*(person(number) for number in range(1, 10)))

    ran = onboard.run(ONBOARD, "--clients", clients, "--rate", "15/s", "--jobs", 9)

    assert 0 == ran.code, ran.story
    assert 45 == sandbox.requests == ran.report["totals"]["requests"]
    # Even spacing alone would put 16 into a second, and more on a busy machine that wakes sleepers late.
    assert sandbox.state["worst_second"] <= 15


def test_fail_fast_starts_nobody_after_the_first_failure(onboard: Onboard, sandbox: Sandbox) -> None:
    people = [person(number) for number in range(1, 7)]
    people[1]["birth_date"] = "2020-01-01"

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(*people), "--jobs", 1, "--fail-fast")

    assert 1 == ran.code, ran.story
    assert {"done": 1, "rejected": 1, "not_started": 4} == ran.totals
    assert {"user_1"} == set(sandbox.clients)
    assert ran.problem("user_6")["code"] == "run.max-fail"


def test_max_fail_starts_nobody_beyond_so_many_failures(onboard: Onboard, sandbox: Sandbox) -> None:
    people = [person(number) for number in range(1, 11)]
    for at in (0, 2, 4):
        people[at]["birth_date"] = "2020-01-01"

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(*people), "--jobs", 1, "--max-fail", "20%")

    assert 1 == ran.code, ran.story
    assert {"done": 2, "rejected": 3, "not_started": 5} == ran.totals


def test_waves_go_on_only_when_all_ended_well(onboard: Onboard, sandbox: Sandbox) -> None:
    people = [person(number) for number in range(1, 7)]
    words = ("--clients", onboard.clients(*people), "--waves", "1,50%,100%")
    assert 0 == onboard.run(ONBOARD, *words).code
    assert 6 == len(sandbox.clients)

    sandbox.reset()
    people[2]["birth_date"] = "2020-01-01"
    ran = onboard.run(ONBOARD, "--clients", onboard.clients(*people), "--waves", "1,50%,100%", "--state", "other")

    assert 1 == ran.code, ran.story
    assert {"done": 2, "rejected": 1, "not_started": 3} == ran.totals
    assert "run.wave" == ran.problem("user_6")["code"]


# -- where ---------------------------------------------------------------------------------------------------------


def test_the_base_url_option_wins_over_the_variable(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1))

    ran = onboard.run(
        ONBOARD, "--clients", clients, "--base-url", sandbox.url, env={"COINMENA_BASE_URL": "http://127.0.0.1:9"}
    )

    assert 0 == ran.code, ran.story


def test_the_variable_wins_over_the_environment_of_the_pack(onboard: Onboard, sandbox: Sandbox) -> None:
    pack = onboard.write(
        "pack.yaml",
        "extends: coinmena\nenvironments: {staging: {base_url: 'http://127.0.0.1:9'}}\n",
    )
    clients = onboard.clients(person(1))
    words = ("--clients", clients, "--provider-file", pack, "--env", "staging")

    ran = onboard.run(ONBOARD, *words)

    assert 0 == ran.code, ran.story
    assert "staging" == ran.report["run"]["environment"]


def test_the_environment_of_the_pack_is_used_when_nothing_else_is_given(onboard: Onboard, sandbox: Sandbox) -> None:
    pack = onboard.write(
        "pack.yaml",
        f"extends: coinmena\nenvironments: {{staging: {{base_url: '{sandbox.url}'}}}}\n",
    )
    del onboard.env["COINMENA_BASE_URL"]

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)), "--provider-file", pack, "--env", "staging")

    assert 0 == ran.code, ran.story


def test_a_private_key_may_stand_in_a_file(onboard: Onboard, sandbox: Sandbox) -> None:
    key = onboard.env.pop("COINMENA_PRIVATE_KEY")
    clients = onboard.clients(person(1))

    in_a_file = {"COINMENA_PRIVATE_KEY_FILE": str(onboard.write("key.pem", key))}
    in_one_line = {"COINMENA_PRIVATE_KEY": key.strip().replace("\n", "\\n")}

    assert 0 == onboard.run(ONBOARD, "--clients", clients, env=in_a_file).code
    assert 0 == onboard.run(ONBOARD, "--clients", clients, env=in_one_line).code


def test_documents_are_relative_to_the_clients_file(onboard: Onboard, sandbox: Sandbox) -> None:
    onboard.write("people/documents/id_front.jpg", b"\xff\xd8\xff\xe0 specimen")

    ran = onboard.run(ONBOARD, "--clients", onboard.write("people/clients.csv", csv_text([person(1)])))

    assert 0 == ran.code, ran.story
    assert 1 == len(sandbox.documents)


def test_documents_may_lie_in_another_folder(onboard: Onboard, sandbox: Sandbox, tmp_path: Path) -> None:
    vault = tmp_path / "vault"
    (vault / "documents").mkdir(parents=True)
    (vault / "documents" / "id_front.jpg").write_bytes(b"\xff\xd8\xff\xe0 specimen")
    clients = onboard.write("clients.csv", csv_text([person(1)]))

    assert 2 == onboard.run(ONBOARD, "--clients", clients).code
    assert 0 == sandbox.requests
    ran = onboard.run(ONBOARD, "--clients", clients, "--documents", vault)

    assert 0 == ran.code, ran.story


def test_documents_named_on_standard_input_are_relative_to_the_current_folder(
    onboard: Onboard, sandbox: Sandbox
) -> None:
    onboard.clients(person(1), name="unused.csv")

    assert 0 == onboard.run(ONBOARD, "--clients", "-", stdin=csv_text([person(1)])).code


# -- what is written and said --------------------------------------------------------------------------------------


def test_state_and_reports_are_for_their_owner_only(onboard: Onboard, sandbox: Sandbox, folder: Path) -> None:
    words = ("--report-junit", "deep/junit.xml", "--rejects", "rejects.csv")
    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)), *words)

    assert 0 == ran.code, ran.story
    assert "0o700" == mode(folder / ".onboard")
    for name in ("report.json", "deep/junit.xml", "rejects.csv"):
        assert "0o600" == mode(folder / name), name
    for path in (folder / ".onboard").iterdir():
        assert "0o600" == mode(path), path


def test_a_state_folder_that_others_could_read_is_closed_to_them(
    onboard: Onboard, sandbox: Sandbox, folder: Path
) -> None:
    state = folder / ".onboard"
    state.mkdir()
    state.chmod(0o755)

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)))

    assert 0 == ran.code, ran.story
    assert "0o700" == mode(state)
    state.chmod(0o755)
    (state / "journal.db").chmod(0o644)
    assert 0 == onboard("status").code
    assert ["0o700", "0o600"] == [mode(state), mode(state / "journal.db")]


def test_a_report_that_others_could_read_is_closed_to_them(onboard: Onboard, sandbox: Sandbox, folder: Path) -> None:
    path = onboard.write("report.json", "an older report")
    path.chmod(0o644)

    assert 0 == onboard.run(ONBOARD, "--clients", onboard.clients(person(1))).code
    assert "0o600" == mode(path)


@pytest.mark.parametrize("way", ["option", "variable", "both"])
def test_the_state_folder_can_be_named(onboard: Onboard, sandbox: Sandbox, folder: Path, way: str) -> None:
    words = () if way == "variable" else ("--state", "here")
    env = {} if way == "option" else {"ONBOARD_STATE": "there"}

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)), *words, env=env)

    assert 0 == ran.code, ran.story
    assert (folder / ("there" if way == "variable" else "here") / "journal.db").is_file()
    assert not (folder / ".onboard").exists()


def test_quiet_says_nothing_when_all_is_well(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1)), "-q")

    assert (0, "", "") == (ran.code, ran.out, ran.err)


def test_verbose_names_everybody(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1), person(2))

    assert "user_2" not in onboard.run(ONBOARD, "--clients", clients).out
    told = onboard.run(ONBOARD, "--clients", clients, "-v", "--state", "other").out

    assert "user_1 (line 2): done" in told
    assert "user_2 (line 3): done" in told


def test_the_story_goes_to_stdout_and_nothing_else_does(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1, birth_date="2020-01-01"), person(2)))

    assert 1 == ran.code, ran.story
    assert "user_1 (line 2): rejected" in ran.out
    assert "run 1: 1 done, 1 rejected" in ran.out
    assert "" == ran.err
    assert "\x1b" not in ran.out + ran.err


def test_complaints_go_to_stderr(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(ONBOARD, "--clients", EXAMPLES / "bad" / "ragged.csv")

    assert (2, "") == (ran.code, ran.out)
    assert "ragged.csv" in ran.err
    assert "\x1b" not in ran.err


@pytest.mark.parametrize(
    ("words", "env", "is_colored"),
    [((), {}, True), (("--no-color",), {}, False), ((), {"NO_COLOR": "1"}, False), ((), {"NO_COLOR": ""}, True)],
)
def test_a_terminal_gets_colour_unless_somebody_says_no(
    onboard: Onboard, words: tuple[str, ...], env: dict[str, str], is_colored: bool
) -> None:
    playbook = onboard.write("wrong.playbook.yaml", "playbook: 1\nname: wrong\nprovider: coinmena\nstepz: []\n")

    told = on_a_terminal(onboard, "validate", str(playbook), *words, env=env)

    assert "stepz" in told
    assert is_colored is ("\x1b[" in told)


def test_a_terminal_sees_a_bar(onboard: Onboard, sandbox: Sandbox) -> None:
    words = ("run", str(ONBOARD), "--clients", str(onboard.clients(person(1), person(2))))

    assert "clients" in on_a_terminal(onboard, *words, env={"TERM": "xterm"})
    assert "clients " not in on_a_terminal(onboard, *words, "-q", "--state", "other", env={"TERM": "xterm"})


def on_a_terminal(onboard: Onboard, *words: str, env: dict[str, str]) -> str:
    """What a person at a terminal sees."""
    import pty
    import subprocess
    import sys

    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "runner", *words],
        cwd=onboard.folder,
        env=clean_environment(onboard.folder, **{"TERM": "xterm-256color", **onboard.env, **env}),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            some = os.read(ours, 65536)
        except OSError:  # how Linux says that the other end of a terminal has gone
            break
        if not some:
            break
        seen += some
    os.close(ours)
    process.wait(10)
    return seen.decode()


# -- rows that are left out ----------------------------------------------------------------------------------------


def test_without_skip_invalid_one_wrong_row_stops_everything(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(ONBOARD, "--clients", onboard.clients(person(1), person(2, email="nobody")))

    assert 2 == ran.code, ran.story
    assert 0 == sandbox.requests


def test_skip_invalid_leaves_wrong_rows_out_and_counts_them(onboard: Onboard, sandbox: Sandbox) -> None:
    people = [person(1), person(2, email="nobody"), person(3, birth_date="15.1.1990"), person(4)]
    clients = onboard.clients(*people)

    ran = onboard.run(ONBOARD, "--clients", clients, "--skip-invalid", "--rejects", "rejects.csv")

    assert 1 == ran.code, ran.story
    assert {"user_1": "done", "user_2": "rejected", "user_3": "rejected", "user_4": "done"} == ran.outcomes
    assert [2, 3, 4, 5] == [client["line"] for client in ran.report["clients"]]
    assert [] == ran.client("user_2")["steps"]
    for key, line in (("user_2", 3), ("user_3", 4)):
        problem = ran.problem(key)
        assert problem["hint"]
        assert ("clients.csv", line) == (Path(problem["location"]["path"]).name, problem["location"]["line"])
    assert {"user_1", "user_4"} == set(sandbox.clients)


def test_rejected_rows_come_back_fixed(onboard: Onboard, sandbox: Sandbox, folder: Path) -> None:
    formula = "=SUM(A1), and more"
    people = [
        person(1),
        person(2, email="nobody", name=formula),
        person(3, birth_date="15.1.1990", address__unit="-5"),
    ]
    clients = onboard.clients(*people)
    onboard.run(ONBOARD, "--clients", clients, "--skip-invalid", "--rejects", "rejects.csv")

    with (folder / "rejects.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert ["line", "field", "reason", "hint"] == list(rows[0])[-4:]
    assert [("3", "email"), ("4", "birth_date")] == [(row["line"], row["field"]) for row in rows]
    assert all(row["reason"] and row["hint"] for row in rows)
    assert "'" + formula == rows[0]["name"]
    assert "-5" == rows[1]["address.unit"]

    rows[0]["email"], rows[1]["birth_date"] = "somebody@example.com", "1990-01-15"
    fixed = onboard.write("rejects.csv", csv_text(rows))
    ran = onboard.run(ONBOARD, "--clients", fixed)

    assert 0 == ran.code, ran.story
    assert {"user_2": "done", "user_3": "done"} == ran.outcomes
    assert formula == sandbox.clients["user_2"]["name"]
    assert "-5" == sandbox.clients["user_3"]["address"]["unit"]


def test_rejected_json_comes_back_as_jsonl(onboard: Onboard, sandbox: Sandbox, folder: Path) -> None:
    people = [person(1), person(2, email="nobody")]
    onboard.clients(*people)
    clients = onboard.write("people.jsonl", "".join(json.dumps(nested(row)) + "\n" for row in people))

    ran = onboard.run(ONBOARD, "--clients", clients, "--skip-invalid", "--rejects", "rejects.jsonl")

    assert 1 == ran.code, ran.story
    (row,) = [json.loads(line) for line in (folder / "rejects.jsonl").read_text("utf-8").splitlines()]
    assert (2, "email") == (int(row["line"]), row["field"])
    assert row["reason"]
    assert row["hint"]
    assert {"street": "2 Specimen Street", "city": "Manama", "postal_code": "0317"} == row["address"]
    row["email"] = "somebody@example.com"
    ran = onboard.run(ONBOARD, "--clients", onboard.write("rejects.jsonl", json.dumps(row) + "\n"))
    assert 0 == ran.code, ran.story


def test_the_right_row_is_left_out_of_json_on_one_line(onboard: Onboard, sandbox: Sandbox, folder: Path) -> None:
    people = [person(1), person(2, email="nobody"), person(3)]
    onboard.clients(*people)
    clients = onboard.write("people.json", json.dumps([nested(row) for row in people]))

    ran = onboard.run(ONBOARD, "--clients", clients, "--skip-invalid", "--rejects", "rejects.jsonl")

    assert 1 == ran.code, ran.story
    assert {"user_1": "done", "user_2": "rejected", "user_3": "done"} == ran.outcomes
    (row,) = [json.loads(line) for line in (folder / "rejects.jsonl").read_text("utf-8").splitlines()]
    assert "user_2" == row["partner_client_id"]


def test_skip_invalid_takes_ragged_rows_too(onboard: Onboard, sandbox: Sandbox, folder: Path) -> None:
    words = ("--clients", EXAMPLES / "bad" / "ragged.csv", "--documents", EXAMPLES / "bad")

    ran = onboard.run(ONBOARD, *words, "--skip-invalid", "--rejects", "rejects.csv")

    assert 1 == ran.code, ran.story
    assert {"done": 2, "rejected": 1} == ran.totals
    header, ragged = csv.reader(io.StringIO((folder / "rejects.csv").read_text("utf-8")))
    _, _, given, _ = csv.reader(io.StringIO((EXAMPLES / "bad" / "ragged.csv").read_text("utf-8")))
    own = header.index("line")
    assert given == [*ragged[:own], *ragged[len(header) :]]

    # Nobody corrected it, so it is left out again; then somebody puts the comma back into its cell.
    again = onboard.run(ONBOARD, "--clients", "rejects.csv", "--documents", EXAMPLES / "bad")
    assert (2, True) == (again.code, "clients.ragged" in again.err)
    at = given.index("Specimen Street")
    whole = [*given[:at], f"{given[at]},{given[at + 1]}", *given[at + 2 :], *ragged[own : len(header)]]
    onboard.write("rejects.csv", csv_text([dict(zip(header, whole, strict=True))]))
    ran = onboard.run(ONBOARD, "--clients", "rejects.csv", "--documents", EXAMPLES / "bad")
    assert 0 == ran.code, ran.story
    assert "Specimen Street, 3002" == sandbox.clients["user_3002"]["address"]["street"]
