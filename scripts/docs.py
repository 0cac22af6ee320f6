"""Write the reference pages from the schemas, the packs and the verbs, so that the manual can't say something else.

    python scripts/docs.py            write everything again
    python scripts/docs.py --check    exit 1 when a committed page differs, and name it

A whole page begins with a comment that names this script. Elsewhere only what stands between
`<!-- generated: name -->` and `<!-- /generated -->` is replaced.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

HOME = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(HOME))

import click  # noqa: E402

from runner import exit_codes, resources  # noqa: E402
from runner.checks.operators import OPERATORS, WITHOUT_VALUE  # noqa: E402
from runner.commands import VERBS  # noqa: E402
from runner.effects import Known, Move, Reply, Sight, decide  # noqa: E402
from runner.load.pack import find_pack  # noqa: E402
from runner.load.playbook import load  # noqa: E402
from runner.model.provider import ErrorRule, Operation, Provider  # noqa: E402
from runner.sandbox.arguments import parser as sandbox_parser  # noqa: E402
from runner.templates.apply import FILTERS  # noqa: E402

DOCS = HOME / "docs"
NOTE = "<!-- Written by scripts/docs.py; change what it reads, then run it again. -->"
PART = re.compile(r"(<!-- generated: (\S+) -->\n).*?(<!-- /generated -->)", re.DOTALL)

Json = Mapping[str, Any]


# ------------------------------------------------------------------------------------------- small words


def code(text: object) -> str:
    return f"`{text}`"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """A Markdown table; a bar inside a cell is escaped."""
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |"
    yield ""


def value_words(rule: Json, root: Json) -> str:
    """What a JSON Schema rule takes, in a few words."""
    if "$ref" in rule:
        name = str(rule["$ref"]).rpartition("/")[2]
        found = definition(rule, root)
        return f"[{name}](#{name})" if "properties" in found else value_words(found, root)
    for key in ("anyOf", "oneOf"):
        if key in rule:
            return " or ".join(value_words(each, root) for each in rule[key])
    if "const" in rule:
        return code(json.dumps(rule["const"]))
    if "enum" in rule:
        return " ".join(code(word) for word in rule["enum"])
    if form := rule.get("x-form"):
        return str(form)
    if rule.get("x-file"):
        return "a file's path"
    kind = rule.get("type", "anything")
    if isinstance(kind, list):
        return " or ".join(kind_word(each) for each in kind)
    if kind == "array" and "items" in rule:
        return f"list of {value_words(rule['items'], root)}"
    inner = rule.get("additionalProperties")
    if kind == "object" and isinstance(inner, Mapping):
        return f"mapping of names to {value_words(inner, root)}"
    return kind_word(str(kind))


def kind_word(kind: str) -> str:
    return {"array": "list", "object": "mapping", "string": "text"}.get(kind, kind)


def definition(rule: Json, root: Json) -> Json:
    found: Any = root
    for name in str(rule["$ref"]).removeprefix("#/").split("/"):
        found = found[name]
    return found if isinstance(found, Mapping) else {}


def description(rule: Json, root: Json) -> str:
    told = rule.get("description") or (definition(rule, root).get("description") if "$ref" in rule else "")
    return str(told or "")


def keys_table(rule: Json, root: Json, texts: Mapping[str, str] | None = None) -> Iterator[str]:
    """One row for each key of a mapping; `texts` says what the schema leaves to the manual."""
    required = rule.get("required", ())
    rows = []
    for name, each in rule["properties"].items():
        meaning = " ".join(filter(None, (description(each, root), (texts or {}).get(name, ""))))
        words = f"[{name}](#{name})" if "properties" in each else value_words(each, root)
        rows.append((code(name), words, "yes" if name in required else "", meaning))
    yield from table(("Key", "Value", "Required", "Meaning"), rows)


def read_schema(name: str) -> Json:
    body: Json = json.loads((resources.schemas() / f"{name}.schema.json").read_text("utf-8"))
    return body


# ------------------------------------------------------------------------------------------- playbook

STEP_TEXTS = {
    "call": "A step has either `call` or `request`.",
    "with": "Path and query parameters stand here too. Checked against the operation's fields while validating.",
    "expect": "Without any, the operation's documented status still has to come.",
    "when": "Paths start at a name in scope: `client.deposit exists`.",
    "for_each": "A failing item stops the rest of the step; outputs become a list of mappings.",
    "outputs": "An absent path fails the step.",
    "retry": "An error on `create` and `money` operations: those are looked up, never blindly repeated.",
    "limits": "Caps for this step alone.",
    "tags": "Plain text.",
    "description": "Plain text.",
}
SCOPE = (
    ("client", "the row, with types from the clients schema; dotted columns are mappings"),
    ("inputs", "the playbook's inputs, from `--input` or their defaults"),
    ("documents", "the client's documents, after entries with an absent `front` are dropped"),
    ("funding", "the client's funding entries"),
    ("item", "the current element, inside `for_each` only"),
    ("index", "its number from 0, inside `for_each` only"),
    ("steps.ID.OUTPUT", "an output of an earlier step; a list of mappings after `for_each`"),
    ("batch", "`--batch`, or the playbook's name"),
)


def playbook_page() -> str:
    return "\n".join(_playbook())


def _playbook() -> Iterator[str]:
    schema = read_schema("playbook")
    pieces = schema["$defs"]
    step = pieces["step"]
    yield NOTE
    yield "# Playbook\n"
    yield f"{schema['description']} The file's name ends in `.playbook.yaml`; `onboard schema playbook` prints the"
    yield "JSON Schema for editors. Every mistake is reported with line and column before anything is sent.\n"
    yield "YAML is read as 1.2: `NO`, `012`, `1_000`, `13:00` and dates are text. Amounts are quoted text.\n"
    yield "## Top level\n"
    yield from keys_table(schema, schema, {"description": "Plain text.", "steps": "In order."})
    for name in ("clients", "documents"):
        rule = schema["properties"][name]
        yield f"## {name}\n"
        yield f"{rule['description']}\n"
        yield from keys_table(rule.get("items", rule), schema)
    for name, title in (("input", "input"), ("limits", "limits")):
        yield f"## {title}\n"
        rule = pieces[name]
        if name == "limits":
            yield f"{rule['properties']['money']['description']} An asset that moves but has no cap while others have"
            yield "one is an error.\n"
            yield from keys_table(rule["properties"]["money"]["additionalProperties"], schema)
        else:
            yield "A subset of JSON Schema.\n"
            yield from keys_table(rule, schema)
    yield "## step\n"
    yield from keys_table(step, schema, STEP_TEXTS)
    for name, rule in step["properties"].items():
        if "properties" in rule:
            yield f"### {name}\n"
            yield f"{rule['description']}\n"
            yield from keys_table(rule, schema)
    yield "## Checks\n"
    yield "A check is `path operator value`. `http` is the status code, `header.NAME` a header, `count(path)` the"
    yield "length of a list; any other path walks the unwrapped answer, such as `items[0].asset_id`. The value is a"
    yield "YAML scalar, a list or a template. Numbers and numeric text compare as decimals when both sides are. A bare"
    yield "word is held against the words the pack knows for that field.\n"
    yield f"Operators: {' '.join(code(name) for name in OPERATORS if name not in WITHOUT_VALUE)}; without a value:"
    yield f"{' '.join(code(name) for name in OPERATORS if name in WITHOUT_VALUE)}.\n"
    yield "## Templates\n"
    yield "Jinja expressions in `{{ }}`, sandboxed and strict about undefined names. A value that is exactly one"
    yield "expression keeps its type; anything else is text. There is no `{% %}`.\n"
    yield from table(("Name in scope", "Is"), [(code(name), text) for name, text in SCOPE])
    yield f"Filters: {' '.join(code(name) for name in FILTERS)}.\n"
    yield "`optional` drops the key when its value is undefined. `only(…)` and `without(…)` pick keys of a mapping."
    yield "`decimal` makes an exact number of text, `e164` a phone number of `+` and digits, `query('name')` takes a"
    yield "parameter out of an address."


# ------------------------------------------------------------------------------------------- provider pack


def provider_page(name: str) -> str:
    return "\n".join(_provider(find_pack(name)))


def _provider(pack: Provider) -> Iterator[str]:
    yield NOTE
    yield f"# {pack.title}\n"
    yield f"The pack `{pack.name}` as shipped. What is known, what is guessed and how to change it stands in"
    yield f"[the pack's own page](../../runner/providers/{pack.name}/README.md).\n"
    yield "## Environments\n"
    places = [
        (
            code(each.name),
            each.base_url or f"from `--base-url` or {code(pack.base_url_env)}",
            "yes, needs `--yes`" if each.live else "no",
        )
        for each in pack.environments.values()
    ]
    yield from table(("Name", "Address", "Live"), places)
    yield f"`--base-url` overrides {code(pack.base_url_env)}, which overrides the environment's address.\n"
    yield "## Credentials\n"
    secrets = [
        (ref.name, code(ref.env), code(ref.file_env) if ref.file_env else "", "yes" if ref.secret else "no")
        for ref in pack.credentials.values()
    ]
    yield from table(("Name", "Variable", "Or a file named by", "Secret"), secrets)
    yield "## Limits\n"
    files = pack.limits.files
    formats = ", ".join(each.upper() for each in files.formats)
    rate = f"{pack.limits.requests_per_second:g} a second" if pack.limits.requests_per_second else "none documented"
    yield from table(
        ("What", "Value"),
        [
            ("requests", rate),
            ("document formats, by content", formats),
            ("document size", f"{files.max_bytes:,} bytes"),
            ("request timeout", f"{pack.timeout:g} s"),
            ("send window of an intent", f"{pack.send_window:g} s"),
        ],
    )
    yield "## Operations\n"
    calls = [
        (f"[{each.name}](#{anchor(each.name)})", each.effect, code(f"{each.method} {each.path}"), each.title)
        for each in pack.operations.values()
    ]
    yield from table(("Operation", "Effect", "Request", "Does"), calls)
    for each in pack.operations.values():
        yield from _operation(each)
    yield "## Answers\n"
    yield "What checks and outputs can name, as far as the provider's texts show it; the envelope is taken off.\n"
    for subject, schema in {each.subject: each.response for each in pack.operations.values()}.items():
        if rows := [(code(name), value_words(rule, {})) for name, rule, _ in fields(schema)]:
            yield f"### {subject[:1].upper()}{subject[1:]}\n"
            yield from table(("Field", "Value"), rows)
    yield "## Error codes\n"
    yield f"A refusal becomes a problem with the code `{pack.name}.NAME`.\n"
    refusals = [(_sign(rule), code(rule.name), rule.meaning, rule.text, rule.hint) for rule in pack.errors.rules]
    yield from table(("Provider says", "Name", "Meaning", "In words", "What to do"), refusals)


def anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9_ -]", "", title.lower()).replace(" ", "-")


def _sign(rule: ErrorRule) -> str:
    return ", ".join(filter(None, (str(rule.code or ""), f"HTTP {rule.status}" if rule.status else "")))


def _operation(operation: Operation) -> Iterator[str]:
    yield f"### {operation.name}\n"
    yield f"{operation.title[:1].upper()}{operation.title[1:]}. `{operation.method} {operation.path}`, effect"
    yield f"`{operation.effect}`{', body ' + operation.body if operation.body != 'none' else ''}.\n"
    facts = list(_facts(operation))
    if facts:
        yield from (f"- {fact}" for fact in facts)
        yield ""
    rows = [
        (code(name), value_words(rule, {}), "yes" if required else "", _note(rule))
        for name, rule, required in fields(operation.request)
    ]
    if rows:
        yield from table(("`with`", "Value", "Required", "Note"), rows)


REPEATS = {
    "refused": "The provider refuses a repeat.",
    "ignored": "The provider takes a repeat for a second one, so it is looked up before the first send too.",
    "unknown": "What a repeat does is not documented, so it is looked up before the first send too.",
}


def _facts(operation: Operation) -> Iterator[str]:
    if operation.invented:
        yield "The provider's texts do not show the form of this call; the form here is ours."
    if not operation.signed:
        yield "Not signed."
    if operation.shared:
        yield "Asked once per run for equal requests."
    if operation.pages:
        yield "Every page is read; checks and outputs see one list."
    if operation.success:
        yield f"Success is HTTP {' or '.join(map(str, operation.success))}."
    if operation.response.get("properties"):
        yield f"Answers with [{operation.subject}](#{anchor(operation.subject)})."
    if operation.reference:
        yield (
            f"The runner fills `{operation.reference.field}` (at most {operation.reference.max_length} characters) "
            "unless `with` does."
        )
    if operation.identity:
        yield f"Identity: {', '.join(map(code, operation.identity))}."
    if operation.look_up:
        yield f"In doubt it is looked up with `{operation.look_up.call}`; settle time {operation.settle:g} s."
        yield REPEATS[operation.repeat]


def fields(schema: Json, prefix: str = "") -> Iterator[tuple[str, Json, bool]]:
    """Every field with its dotted name, and whether it is required where it stands."""
    required = schema.get("required", ())
    for name, rule in schema.get("properties", {}).items():
        inner = rule.get("items", {}) if rule.get("type") == "array" else rule
        if isinstance(inner, Mapping) and inner.get("properties"):
            yield prefix + name, {"type": rule["type"]}, name in required
            mark = "[]" if inner is not rule else ""
            yield from fields(inner, f"{prefix}{name}{mark}.")
        else:
            yield prefix + name, rule, name in required


def _note(rule: Json) -> str:
    return str(rule.get("description", ""))


# ------------------------------------------------------------------------------------------- command line

EXITS = (
    (exit_codes.OK, "everyone done; the plan or validation is clean"),
    (exit_codes.REJECTED, "finished, every outcome known, some rejected or blocked"),
    (exit_codes.WRONG, "nothing was sent: usage, playbook, clients file, documents or credentials are wrong"),
    (exit_codes.GUARDED, "a guard stopped it: cap, lock, halt, stale plan, unwritable journal, live without approval"),
    (exit_codes.WAITING, "some are waiting: resume later"),
    (exit_codes.UNKNOWN, "at least one unknown: run recover"),
    (exit_codes.UNREACHABLE, "provider unreachable, throttling, or refusing our credentials; nothing ambiguous"),
    (exit_codes.DIFFERENT, "reconciliation found differences"),
    (exit_codes.BUG, "our bug"),
    (exit_codes.INTERRUPTED, "interrupted after a checkpoint"),
)


def command_line_page() -> str:
    return "\n".join(_command_line())


def _command_line() -> Iterator[str]:
    yield NOTE
    yield "# Command line\n"
    yield "`onboard VERB …`, or `python -m runner VERB …`. Data goes to standard output, progress and messages to"
    yield "standard error. `onboard --version` prints the version.\n"
    yield from table(("Verb", "Does"), [(f"[{name}](#{name})", text) for name, text in sorted(VERBS.items())])
    yield "## Exit codes\n"
    yield from table(("Code", "Meaning"), [(str(number), text) for number, text in EXITS])
    order = " > ".join(map(str, exit_codes.WORST_FIRST))
    yield f"The worst wins: {order}; 2 and 130 stand alone.\n"
    for name in sorted(VERBS):
        command: click.Command = importlib.import_module(f"runner.commands.{name}").command
        yield from _sandbox() if name == "sandbox" else _verb(name, command)


def _verb(name: str, command: click.Command) -> Iterator[str]:
    arguments = [each for each in command.params if isinstance(each, click.Argument)]
    words = " ".join(_argument(each) for each in arguments)
    yield f"## {name}\n"
    yield f"`onboard {name} [OPTIONS]{' ' + words if words else ''}`\n"
    yield "\n\n".join(" ".join(part.split()) for part in (command.help or "").split("\n\n")) + "\n"
    rows = [_option(each) for each in command.params if isinstance(each, click.Option) and not each.hidden]
    if rows:
        yield from table(("Option", "Default", "Meaning"), rows)


def _argument(argument: click.Argument) -> str:
    name = argument.metavar or (argument.name or "").upper() + ("..." if argument.nargs == -1 else "")
    return name if argument.required else f"[{name}]"


def _option(option: click.Option) -> tuple[str, str, str]:
    if option.is_flag or option.count:
        value = ""
    elif isinstance(option.type, click.Choice):
        value = f" {'|'.join(option.type.choices)}"
    else:
        value = f" {option.metavar or option.type.name.upper()}"
    default = str(option.default) if option.show_default is True and option.default is not None else ""
    names = ", ".join(sorted(option.opts, key=len, reverse=True)) + value
    again = " Repeat for more." if option.multiple and "repeat" not in (option.help or "") else ""
    return code(names), code(default) if default else "", (option.help or "") + again


def _sandbox() -> Iterator[str]:
    parser = sandbox_parser("onboard sandbox")
    yield "## sandbox\n"
    yield "`onboard sandbox [OPTIONS] [PROVIDER...]`\n"
    yield f"{parser.description}\n"
    rows = []
    for action in parser._actions:
        if not action.option_strings or action.dest == "help":
            continue
        choices = "|".join(map(str, action.choices)) if action.choices else ""
        value = "" if action.nargs == 0 else f" {choices or action.metavar or action.dest.upper()}"
        rows.append((code(action.option_strings[-1] + value), (action.help or "") % {"default": action.default}))
    yield from table(("Option", "Meaning"), rows)
    yield "```text"
    yield (parser.epilog or "").rstrip()
    yield "```\n"


# ------------------------------------------------------------------------------------------- parts of pages

LOOKS_BACK = "look it up by its reference"
MOVES = {
    Move.SEND: "send, same reference",
    Move.LOOK: LOOKS_BACK,
    Move.PASS: "passed",
    Move.ADOPT: "adopt it",
    Move.CONFLICT: "rejected: a conflict, nothing sent",
    Move.REJECT: "rejected",
    Move.RENEW: "new attempt with a new reference (`-2`)",
    Move.WAIT: "wait for the horizon, then look again",
    Move.GIVE_UP: "stop here; `resume` goes on",
    Move.UNKNOWN: "unknown: never sent again by itself",
}
LOST = Known("refused", in_doubt=True, reply=Reply.LOST)
LOST_BLIND = Known("unknown", in_doubt=True, reply=Reply.LOST)
EFFECTS: tuple[tuple[str, str, Known], ...] = (
    ("nothing yet, first time, provider refuses a used reference", "", Known("refused")),
    ("nothing yet, first time, provider does not say so", "", Known("unknown")),
    ("an intent without outcome, from a process that died", "", Known("refused", in_doubt=True)),
    ("success", "", Known("refused", reply=Reply.ACCEPTED)),
    ("success, but the object is failed or rejected", "", Known("refused", reply=Reply.DEAD)),
    ("a refusal, nothing in doubt", "", Known("refused", reply=Reply.REFUSED)),
    ("a refusal, an earlier attempt in doubt", "", Known("refused", in_doubt=True, reply=Reply.REFUSED)),
    ("“this reference was used”", "", Known("refused", reply=Reply.DUPLICATE)),
    ("timeout, dropped connection, 5xx, unreadable answer", "", Known("refused", reply=Reply.LOST)),
    ("no connection, or 429: not applied for certain", "", Known("refused", reply=Reply.NOT_SENT)),
    ("the same, attempts used up", "", Known("refused", reply=Reply.NOT_SENT, may_send=False)),
    ("credentials refused", "", Known("refused", reply=Reply.DENIED)),
    ("in doubt", "there, completed, equal", Known("refused", True, Reply.LOST, Sight.EQUAL)),
    ("in doubt", "there, but other amount, asset or client", Known("refused", True, Reply.LOST, Sight.DIFFERENT)),
    ("in doubt", "there, failed or rejected", Known("refused", True, Reply.LOST, Sight.DEAD)),
    ("in doubt", "there, failed, attempts used up", Known("refused", True, Reply.LOST, Sight.DEAD, may_renew=False)),
    ("in doubt", "the look-up itself fails", Known("refused", True, Reply.LOST, Sight.FAILED)),
    ("in doubt, provider refuses a used reference", "not there", Known("refused", True, Reply.LOST, Sight.ABSENT)),
    ("in doubt, provider does not", "not there, before the horizon", Known("unknown", True, Reply.LOST, Sight.ABSENT)),
    (
        "in doubt, provider does not",
        "not there, past the horizon",
        Known("unknown", True, Reply.LOST, Sight.ABSENT, past_horizon=True),
    ),
    (
        "“this reference was used”",
        "not there, before the horizon",
        Known("refused", reply=Reply.DUPLICATE, sight=Sight.ABSENT),
    ),
    (
        "“this reference was used”",
        "not there, past the horizon",
        Known("refused", reply=Reply.DUPLICATE, sight=Sight.ABSENT, past_horizon=True),
    ),
    ("“this e-mail was used”", "not there", Known("refused", reply=Reply.DUPLICATE, sight=Sight.ABSENT, is_own=False)),
)


def effects_part() -> str:
    """The decision table of runner/effects.py, asked row by row."""
    rows = [(came, seen, MOVES[decide(known)]) for came, seen, known in EFFECTS]
    return "\n".join(table(("What is known", "The look-up shows", "Then"), rows))


def horizons_part() -> str:
    """The horizon of every create and money operation of the shipped packs."""
    rows = []
    for name in resources.provider_names():
        pack = find_pack(name)
        for operation in pack.operations.values():
            if operation.is_effect:
                whole = pack.send_window + pack.timeout + operation.settle
                what = code(f"{name} {operation.name}")
                rows.append((what, operation.repeat, f"{operation.settle:g} s", f"{whole:g} s"))
    return "\n".join(table(("Operation", "A used reference is", "Settle", "Horizon"), rows))


def report_part() -> str:
    return "\n".join(_report())


def _report() -> Iterator[str]:
    schema = read_schema("report")
    yield "## Top level\n"
    yield from keys_table(schema, schema)
    for name, piece in schema["$defs"].items():
        if "properties" in piece:
            yield f"## {name}\n"
            if told := piece.get("description"):
                yield f"{told}\n"
            yield from keys_table(piece, schema)


def playbooks_part() -> str:
    """The playbooks that are shipped."""
    rows = []
    for path in sorted(resources.playbooks().rglob("*.playbook.yaml")):
        loaded = load(path)
        if loaded.playbook:
            where = path.relative_to(HOME).as_posix()
            rows.append((f"[{where}](../{where})", loaded.playbook.description))
    return "\n".join(table(("Playbook", "What it ends with"), rows))


# ------------------------------------------------------------------------------------------- the door

PAGES: dict[str, Callable[[], str]] = {
    "reference/command-line.md": command_line_page,
    "reference/playbook.md": playbook_page,
    **{f"reference/providers-{name}.md": partial(provider_page, name) for name in resources.provider_names()},
}
PARTS: dict[str, Callable[[], str]] = {
    "effects": effects_part,
    "horizons": horizons_part,
    "playbooks": playbooks_part,
    "report": report_part,
}


def pages() -> Iterator[tuple[Path, str]]:
    """Every page that is generated, whole or in part, with what should stand in it."""
    for name, write in PAGES.items():
        yield DOCS / name, write().rstrip("\n") + "\n"
    for path in sorted(DOCS.rglob("*.md")):
        text = path.read_text("utf-8")
        if PART.search(text):
            yield path, PART.sub(lambda found: found[1] + PARTS[found[2]]() + found[3], text)


def main(argv: Sequence[str] | None = None) -> int:
    options = argparse.ArgumentParser(description="Write the reference pages from what the code knows.")
    options.add_argument("--check", action="store_true", help="write nothing; exit 1 when a page differs")
    is_check = options.parse_args(argv).check
    stale = [(path, text) for path, text in pages() if not path.is_file() or path.read_text("utf-8") != text]
    for path, text in stale:
        where = path.relative_to(HOME)
        if is_check:
            print(f"{where} is not what the code says; run: python scripts/docs.py")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
            print(f"wrote {where}")
    return 1 if is_check and stale else 0


if __name__ == "__main__":
    sys.exit(main())
