"""The verbs around `run`: they say what they know, in words and as data."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from jsonschema import Draft202012Validator
from stage import BOTH, EXAMPLES, ONBOARD, PLAYBOOKS, ROOT, Onboard, Sandbox, checked_report, person

WRONG = """\
playbook: 1
name: wrong
provider: coinmena
steps:
  - id: read
    call: clients.get
    with: {partner_client_id: user_1}
    expect: [status == verfied]
    retyr: {attempts: 3}
"""


# -- help and version ----------------------------------------------------------------------------------------------


def test_every_verb_has_help(onboard: Onboard) -> None:
    told = onboard("--help").out
    section = told.partition("Verbs:")[2].partition("Exit codes")[0]
    verbs = re.findall(r"^  (\w+) ", section, re.MULTILINE)
    assert {"run", "plan", "validate", "rehearse", "status", "doctor", "providers", "sandbox", "schema"} <= set(verbs)

    for verb in verbs:
        ran = onboard(verb, "--help")
        assert (0, "") == (ran.code, ran.err), verb
        assert "usage" in ran.out.lower()


@pytest.mark.parametrize("words", [("--version",), ("--help",), ("-h",)])
def test_what_a_stranger_asks_first(onboard: Onboard, words: tuple[str, ...]) -> None:
    ran = onboard(*words)

    assert (0, "") == (ran.code, ran.err)
    assert "onboard" in ran.out


# -- providers, schema ---------------------------------------------------------------------------------------------


def test_providers_lists_the_packs(onboard: Onboard) -> None:
    assert "coinmena" in onboard("providers").out
    assert "coinmena" in [pack["name"] for pack in json.loads(onboard("providers", "--format", "json").out)]


def test_a_pack_tells_operations_credentials_and_errors(onboard: Onboard) -> None:
    told = onboard("providers", "coinmena").out
    pack = json.loads(onboard("providers", "coinmena", "--format", "json").out)

    for words in ("COINMENA_PARTNER_ID", "deposits.create", "money", "2020", "production", "live"):
        assert words in told
    operations = {operation["name"]: operation for operation in pack["operations"]}
    assert ("POST", "/v1/partner/deposits", "money") == tuple(
        operations["deposits.create"][name] for name in ("method", "path", "effect")
    )
    wanted = {2008, 2009, 2010, 2012, 2016, 2020, 2021, 2022, 2023, 2024, 2025, 2026, 2027, 2028, 3005, 4008}
    assert {str(code) for code in wanted} <= {error["code"] for error in pack["errors"]}
    assert all(error["text"] and error["hint"] for error in pack["errors"])
    assert pack["environments"]["production"]["live"]


def test_an_operation_tells_its_fields(onboard: Onboard) -> None:
    told = onboard("providers", "coinmena", "documents.upload")
    body = json.loads(onboard("providers", "coinmena", "documents.upload", "--format", "json").out)

    assert 0 == told.code
    for words in ("front_file", "file", "required", "proof_of_address"):
        assert words in told.out
    assert {"partner_client_id", "type", "front_file"} == set(body["request"]["required"])


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("providers", "coinmnea"), 'did you mean "coinmena"?'),
        (("providers", "coinmena", "clients.crate"), 'did you mean "clients.create"?'),
        (("schema", "playbok"), 'did you mean "playbook"?'),
        (("doctor", "coinmnea"), 'did you mean "coinmena"?'),
        (("status", "99"), "run.unknown"),
        (("status", "x"), "run.unknown"),
        (("status",), "run.unknown"),
    ],
)
def test_a_name_nobody_knows(onboard: Onboard, words: tuple[str, ...], told: str) -> None:
    ran = onboard(*words)

    assert (2, "") == (ran.code, ran.out), ran.story
    assert told in ran.err


def test_every_schema_is_a_schema(onboard: Onboard) -> None:
    names = onboard("schema").out.split()
    assert {"playbook", "provider", "report", "plan", "coinmena/client", "cryptomate/client"} <= set(names)

    for name in names:
        body = json.loads(onboard("schema", name).out)
        Draft202012Validator.check_schema(body)
        assert "https://json-schema.org/draft/2020-12/schema" == body["$schema"]
        assert body["description"]


# -- validate ------------------------------------------------------------------------------------------------------


def test_the_shipped_playbooks_are_right(onboard: Onboard) -> None:
    ran = onboard("validate", PLAYBOOKS)

    assert (0, "") == (ran.code, ran.out)
    assert "3 playbooks checked" in ran.err
    assert (0, "", "") == tuple(getattr(onboard("validate", "-q", PLAYBOOKS), name) for name in ("code", "out", "err"))


def test_problems_in_words_go_to_stdout(onboard: Onboard) -> None:
    ran = onboard("validate", onboard.write("wrong.playbook.yaml", WRONG))

    assert 2 == ran.code
    assert "wrong.playbook.yaml:8:24: error: " in ran.out
    assert 'did you mean "verified"?' in ran.out
    assert 'did you mean "retry"?' in ran.out
    assert "2 problems in 1 file" in ran.out


def test_problems_as_data(onboard: Onboard) -> None:
    playbook = onboard.write("wrong.playbook.yaml", WRONG)

    body = json.loads(onboard("validate", "--format", "json", playbook).out)

    assert "onboard/problems/1" == body["schema"]
    first = body["problems"][0]
    assert {"path", "line", "column", "end_column", "code", "severity", "message", "hint"} == set(first)
    assert (str(playbook), 8, 24, 31, "error") == tuple(
        first[name] for name in ("path", "line", "column", "end_column", "severity")
    )
    assert [8, 9] == [problem["line"] for problem in body["problems"]]
    nothing = json.loads(onboard("validate", "--format", "json", ONBOARD).out)
    assert {"schema": "onboard/problems/1", "problems": []} == nothing


def test_problems_for_github(onboard: Onboard) -> None:
    playbook = onboard.write("wrong.playbook.yaml", WRONG)

    lines = onboard("validate", "--format", "github", playbook).out.splitlines()

    assert 2 == len(lines)
    assert lines[0].startswith(f"::error file={playbook},line=8,col=24,endColumn=31,title=")


def test_problems_for_code_scanning(onboard: Onboard) -> None:
    body = json.loads(onboard("validate", "--format", "sarif", onboard.write("wrong.playbook.yaml", WRONG)).out)

    assert "2.1.0" == body["version"]
    (run,) = body["runs"]
    region = run["results"][0]["locations"][0]["physicalLocation"]["region"]
    assert {"startLine": 8, "startColumn": 24, "endColumn": 31} == region
    assert {rule["id"] for rule in run["tool"]["driver"]["rules"]} == {one["ruleId"] for one in run["results"]}


def test_problems_for_ci(onboard: Onboard) -> None:
    right = onboard.write("right.playbook.yaml", ONBOARD.read_text("utf-8"))
    onboard.write("wrong.playbook.yaml", WRONG)

    suite = ElementTree.fromstring(onboard("validate", "--format", "junit", right.parent).out)

    assert ("2", "1") == (suite.get("tests"), suite.get("failures"))
    assert 2 == len(suite.findall("testcase/failure"))


@pytest.mark.parametrize("form", ["text", "json", "github", "sarif", "junit"])
def test_every_form_of_validate_fails_with_2(onboard: Onboard, form: str) -> None:
    wrong = onboard.write("wrong.playbook.yaml", WRONG)

    assert 2 == onboard("validate", "--format", form, wrong, ONBOARD).code
    assert 0 == onboard("validate", "--format", form, ONBOARD).code


def test_a_folder_without_playbooks_is_told(onboard: Onboard) -> None:
    ran = onboard("validate", ".")

    assert 2 == ran.code
    assert "playbook.none" in ran.out + ran.err


# -- plan ----------------------------------------------------------------------------------------------------------


def plan_schema() -> Draft202012Validator:
    return Draft202012Validator(json.loads((ROOT / "schemas" / "plan.schema.json").read_bytes()))


def test_a_plan_needs_no_network_and_no_credentials(onboard: Onboard, sandbox: Sandbox) -> None:
    onboard.env.clear()

    for form in ("text", "markdown", "json"):
        ran = onboard("plan", BOTH, "--clients", EXAMPLES / "clients.csv", "--format", form)
        assert (0, "") == (ran.code, ran.err), ran.story
        assert "31383.87173334" in ran.out
    assert 0 == sandbox.requests


def test_a_plan_says_what_a_run_will_do(onboard: Onboard, sandbox: Sandbox) -> None:
    words = (BOTH, "--clients", EXAMPLES / "clients.csv")
    saved = onboard("plan", *words, "--format", "json", "--out", "plan.json")
    plan: dict[str, Any] = json.loads(saved.out)
    file = json.loads((onboard.folder / "plan.json").read_text("utf-8"))
    for body in (plan, file):
        assert [] == [f"{error.json_path}: {error.message}" for error in plan_schema().iter_errors(body)]

    ran = onboard.run(*words)

    assert plan["totals"]["requests"] == ran.report["totals"]["requests"] == sandbox.requests
    money = ran.report["totals"]["money"]["USD"]
    assert plan["totals"]["money"]["USD"] == {kind: money[kind] for kind in ("deposits", "withdrawals")}
    planned = {call["reference"] for client in plan["clients"] for call in client["calls"] if "reference" in call}
    assert planned == {order["partner_order_ref"] for order in sandbox.state["orders"]}
    assert [client["key"] for client in plan["clients"]] == list(ran.outcomes)


def test_a_plan_tells_what_is_known_later(onboard: Onboard) -> None:
    told = onboard("plan", BOTH, "--clients", onboard.clients(person(1))).out

    assert "(known after deposit)" in told
    assert "deposits 100.00 USD" in told
    assert "of at most 250000.00" in told


def test_a_plan_for_a_pull_request_names_nobody(onboard: Onboard) -> None:
    told = onboard("plan", BOTH, "--clients", onboard.clients(person(1)), "--format", "markdown").out

    assert told.startswith("### Plan: coinmena-onboard-and-fund")
    assert "user_1" not in told
    assert "| deposit | deposits.create | 1 |" in told


# -- status, runs --------------------------------------------------------------------------------------------------


def test_status_and_runs_tell_what_the_report_told(onboard: Onboard, sandbox: Sandbox) -> None:
    clients = onboard.clients(person(1), person(2, birth_date="2020-01-01"))
    ran = onboard.run(BOTH, "--clients", clients)
    assert 0 == onboard.run(ONBOARD, "--clients", clients, "--limit", 1).code

    first = checked_report(json.loads(onboard("status", "1", "--format", "json").out))
    newest = checked_report(json.loads(onboard("status", "--format", "json").out))
    runs = json.loads(onboard("runs", "--format", "json").out)

    assert {"user_1": "done", "user_2": "rejected"} == {one["key"]: one["outcome"] for one in first["clients"]}
    assert ("1", 1) == (first["run"]["id"], first["run"]["exit_code"])
    assert ("2", "done") == (newest["run"]["id"], newest["run"]["status"])
    assert [("1", "rejected", 1), ("2", "done", 0)] == [(run["id"], run["status"], run["exit_code"]) for run in runs]
    assert {"done": 1, "rejected": 1} == runs[0]["clients"]
    assert "coinmena.under-age" in onboard("status", "1").out
    assert "user_1 (line 2): done" in onboard("status", "1", "-v").out
    assert ran.code == first["run"]["exit_code"]
    assert 2 == len(onboard("runs").out.splitlines())


def test_no_runs_is_no_mistake(onboard: Onboard) -> None:
    ran = onboard("runs")

    assert (0, "") == (ran.code, ran.out)
    assert "no runs" in ran.err
    assert [] == json.loads(onboard("runs", "--format", "json").out)


# -- doctor --------------------------------------------------------------------------------------------------------


def test_a_healthy_set_up(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard("doctor", "coinmena")

    assert 0 == ran.code, ran.story
    for name in ("credentials", "address", "clock", "signature"):
        assert f"{name:<12} ok: " in ran.out
    assert {} == sandbox.clients


@pytest.mark.parametrize(
    ("env", "code", "words"),
    [
        ({"COINMENA_PARTNER_ID": "somebody"}, 6, ("signature    wrong", "allow list")),
        ({"COINMENA_PARTNER_ID": ""}, 2, ("credentials  wrong", "COINMENA_PARTNER_ID")),
        ({"COINMENA_PRIVATE_KEY": "no key at all"}, 2, ("credentials  wrong", "Ed25519")),
        ({"COINMENA_BASE_URL": "http://127.0.0.1:9"}, 6, ("address      wrong", "no connection")),
        ({"COINMENA_BASE_URL": ""}, 2, ("address      wrong",)),
    ],
)
def test_what_the_doctor_finds(
    onboard: Onboard, sandbox: Sandbox, env: dict[str, str], code: int, words: tuple[str, ...]
) -> None:
    ran = onboard("doctor", "coinmena", env=env)

    assert code == ran.code, ran.story
    for word in words:
        assert word in ran.out
    assert "Traceback" not in ran.err


def test_the_doctor_refuses_a_wrong_key(onboard: Onboard, sandbox: Sandbox) -> None:
    key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )

    ran = onboard("doctor", "coinmena", env={"COINMENA_PRIVATE_KEY": key.decode()})

    assert 6 == ran.code, ran.story
    assert "signature    wrong" in ran.out


# -- rehearse, reports ---------------------------------------------------------------------------------------------


def test_a_rehearsal_needs_nothing(onboard: Onboard, sandbox: Sandbox, folder: Path) -> None:
    onboard.env.clear()

    ran = onboard("rehearse", BOTH, "--clients", EXAMPLES / "clients.csv", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert {"done": 25} == ran.totals
    assert 0 == sandbox.requests
    assert {"report.json"} == {path.name for path in folder.iterdir()}


def test_a_rehearsal_can_be_spoiled(onboard: Onboard) -> None:
    words = ("rehearse", BOTH, "--clients", onboard.clients(person(1)), "--report-json", "report.json")

    ran = onboard(*words, "--fault", "deposits.create=rejected")

    assert 1 == ran.code, ran.story
    assert "coinmena.order-rejected" == ran.problem("user_1")["code"]
    assert 2 == onboard(*words, "--fault", "deposits.create=gone").code


def test_the_report_for_ci_counts_what_the_other_counts(onboard: Onboard, sandbox: Sandbox) -> None:
    people = [person(1), person(2, birth_date="2020-01-01"), person(3, email="nobody")]

    ran = onboard.run(ONBOARD, "--clients", onboard.clients(*people), "--skip-invalid", "--report-junit", "junit.xml")

    root = ElementTree.fromstring((onboard.folder / "junit.xml").read_text("utf-8"))
    cases = root.findall("testsuite/testcase")
    assert str(len(cases)) == root.get("tests")
    assert {"user_1", "user_2", "user_3"} == {case.get("classname") for case in cases}
    failed = {case.get("classname") for case in cases if case.find("failure") is not None}
    assert failed == {key for key, outcome in ran.outcomes.items() if outcome == "rejected"}
    assert "2" == root.get("failures")
