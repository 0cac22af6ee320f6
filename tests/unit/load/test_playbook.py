"""Loading a playbook: what no file among the cases can show."""

from __future__ import annotations

import json
import os
from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import resources
from runner.commands.validate import command
from runner.load.playbook import SUFFIX, Loaded, find_playbooks, load
from runner.load.schema import Schema, schema_complaints
from runner.model.playbook import Cap

GOOD = """\
playbook: 1
name: a-name
provider: coinmena
clients: {schema: coinmena/client, key: partner_client_id}
limits: {money: {USD: {per_client: "5.50"}}}
steps:
  - id: look
    call: clients.get
    with: {partner_client_id: "{{ client.partner_client_id }}"}
    retry: {attempts: 2, first: 500ms}
"""
SHIPPED = sorted(resources.playbooks().rglob(f"*{SUFFIX}"))


def codes(loaded: Loaded) -> list[str]:
    return [problem.code for problem in loaded.problems]


def write(folder: Path, content: str | bytes, name: str = f"p{SUFFIX}") -> Path:
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_a_right_playbook_becomes_nouns(tmp_path: Path) -> None:
    loaded = load(write(tmp_path, GOOD))
    assert (loaded.is_good, ()) == (True, loaded.problems)
    assert loaded.playbook is not None
    assert {"USD": Cap(Decimal("5.50"), None)} == loaded.playbook.caps
    (step,) = loaded.playbook.steps
    assert step.retry is not None
    assert (2, 0.5, 30.0) == (step.retry.attempts, step.retry.first, step.retry.at_most)
    assert (7, 9) == (step.location.line, step.location.column)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_what_is_shipped_is_right(path: Path) -> None:
    assert () == load(path).problems


@pytest.mark.parametrize("path", sorted(resources.schemas().rglob("*.schema.json")), ids=lambda path: path.name)
def test_a_shipped_schema_is_a_json_schema(path: Path) -> None:
    assert [] == schema_complaints(json.loads(path.read_text()), lambda where, key: None)


def test_what_is_not_there_is_told(tmp_path: Path) -> None:
    loaded = load(tmp_path / "nowhere.playbook.yaml")
    assert ["playbook.unreadable"] == codes(loaded)
    assert loaded.problems[0].message.endswith("is not there")
    assert ["playbook.unreadable"] == codes(load(tmp_path))


def test_two_mebibytes_are_too_much(tmp_path: Path) -> None:
    assert ["yaml.too-large"] == codes(load(write(tmp_path, GOOD + "#" * 2**21)))


def test_a_folder_is_searched_in_order(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    write(tmp_path, GOOD, "b/2.playbook.yaml")
    write(tmp_path, GOOD, "1.playbook.yaml")
    write(tmp_path, GOOD, "other.yaml")
    (tmp_path / f"folder{SUFFIX}").mkdir()
    assert ["1.playbook.yaml", "b/2.playbook.yaml"] == [
        path.relative_to(tmp_path).as_posix() for path in find_playbooks(tmp_path)
    ]


def test_a_schema_file_is_told_at_its_own_lines(tmp_path: Path) -> None:
    playbook = write(tmp_path, GOOD.replace("coinmena/client", "own.json"))
    write(tmp_path, '{"properties": {\n "partner_client_id": {"tpye": "string", "type": "txt"}}}', "own.json")
    (problem,) = load(playbook).problems
    assert ("clients.wrong-schema", "own.json", 2) == (
        problem.code,
        Path(problem.location.path).name if problem.location else "",
        problem.location.line if problem.location else 0,
    )
    write(tmp_path, '{"type": "object"', "own.json")
    assert ["yaml.syntax"] == codes(load(playbook))
    write(tmp_path, "[]", "own.json")
    assert ["clients.wrong-schema"] == codes(load(playbook))
    (tmp_path / "own.json").unlink()
    assert ["clients.unknown-schema"] == codes(load(playbook))


@pytest.mark.parametrize(
    ("body", "value", "message"),
    [
        ({"minItems": 2}, [1], '"value" has 1 entry, expected at least 2'),
        ({"maxLength": 1}, "ab", '"value" has 2 characters, expected at most 1'),
        ({"maxProperties": 1}, {"a": 1, "b": 2}, '"value" has 2 entries, expected at most 1'),
        ({"exclusiveMinimum": 1}, 1, '"value" is 1, expected more than 1'),
        ({"properties": {"a": False}}, {"a": 1}, '"a" is not allowed here'),
        ({"not": {}}, [], '"value" is a list, which breaks not: {}'),
        ({"oneOf": [{"type": "string"}, {"type": "object", "required": ["a"]}]}, {}, 'missing key "a"'),
        ({"items": {"const": 1}}, [1, 2], 'entry 2 of "value" is 2, expected 1'),
        ({"type": ["string", "null"]}, 1, '"value" is a number, expected text or null'),
    ],
)
def test_a_schema_speaks_plainly(body: dict[str, object], value: object, message: str) -> None:
    problems = Schema(body).problems(value, lambda where, key: None)
    assert [message] == [problem.message for problem in problems][:1]
    assert all(problem.hint for problem in problems)


def test_a_circle_found_late_is_told() -> None:
    body = {"properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"allOf": [{"$ref": "#/$defs/x"}]}}}
    (problem,) = Schema(body).problems({"a": 1}, lambda where, key: None)
    assert "the schema leads back to itself without end" == problem.message


def validate(*words: str) -> tuple[int, str]:
    ran = CliRunner().invoke(command, list(words), standalone_mode=False)
    assert ran.exception is None
    return ran.return_value, ran.stdout


def test_validate_tells_every_file_and_its_exit_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, GOOD, "good.playbook.yaml")
    assert (0, "") == validate("good.playbook.yaml")
    write(tmp_path, GOOD.replace("client.partner_client_id", "client.partner_clientid"), "warned.playbook.yaml")
    code, out = validate("warned.playbook.yaml")
    assert (0, True) == (code, "1 warning in 1 file" in out)
    write(tmp_path, GOOD.replace("steps", "stpes"), "wrong.playbook.yaml")
    code, out = validate("wrong.playbook.yaml", "good.playbook.yaml", "warned.playbook.yaml")
    assert (2, True) == (code, "1 problem and 1 warning in 2 files" in out)
    (tmp_path / "none").mkdir()
    code, out = validate("none")
    assert (2, True) == (code, "[playbook.none]" in out)


@pytest.mark.parametrize("form", ["github", "json", "junit", "sarif", "text"])
def test_every_form_tells_every_problem_in_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str) -> None:
    monkeypatch.chdir(tmp_path)
    wrong = GOOD.replace("name: a-name", "nmae: a-name").replace("clients.get", "clients.gte").replace('"5.50"', "5.50")
    write(tmp_path, wrong)
    code, out = validate(f"p{SUFFIX}", "--format", form)
    assert 2 == code
    places = [out.index(word) for word in ("nmae", "per_client", "clients.gte")]
    assert sorted(places) == places


def test_the_json_form_fits_its_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, GOOD.replace("name: a-name", "nmae: a-name"))
    (tmp_path / "none").mkdir()
    schema = Schema.read(resources.schemas() / "problems.schema.json")
    _, out = validate("none", f"p{SUFFIX}", "--format", "json")
    assert [] == schema.problems(json.loads(out), lambda where, key: None)
    assert [("p.playbook.yaml", 2), ("", 0)] == [(each["path"], each["line"]) for each in json.loads(out)["problems"]]


LINES = (resources.playbooks() / "coinmena" / "onboard-and-fund.playbook.yaml").read_text().splitlines()
PIECES = ("", "- ", "  ", "{{ steps.create.x }}", "{{", "}}", "'", '"', "|", ">", "[", "]", "{", ": ", "null", "5")
PIECES += ("*a", "&a ", "!x ")


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_whatever_slips_in_is_told_and_never_a_traceback(data: st.DataObject, tmp_path: Path) -> None:
    lines = list(LINES)
    for _ in range(data.draw(st.integers(1, 3))):
        number = data.draw(st.integers(0, len(lines) - 1))
        line = lines[number]
        at = data.draw(st.integers(0, len(line)))
        cut = data.draw(st.integers(0, 8))
        lines[number] = line[:at] + data.draw(st.sampled_from(PIECES)) + line[at + cut :]
    loaded = load(write(tmp_path, "\n".join(lines)))
    for problem in loaded.problems:
        assert problem.message
        assert problem.hint, problem
        assert problem.location is None or problem.location.line <= len(lines) + 1
    places = [(each.location.line, each.location.column) for each in loaded.problems if each.location]
    assert sorted(places) == places
    assert loaded.is_good or loaded.problems


def test_ten_mistakes_are_told_at_once_with_their_places(tmp_path: Path) -> None:
    path = Path(__file__).parents[2] / "cases" / "invalid" / "schema.unknown-key" / f"ten-at-once{SUFFIX}"
    assert 10 == len(load(path).problems)
    assert os.linesep
