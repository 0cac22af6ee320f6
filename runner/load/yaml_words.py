"""Words for what libyaml refuses: what was found, what was expected, and what to do. Needs nothing of `yaml` itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runner.load.source import Place, Source
from runner.model.problem import Problem

MAX_DEPTH = 64


@dataclass(frozen=True, slots=True)
class Seen:
    """How far the reading came: the scalar and the collection before the error, and the document before it."""

    source: Source
    last: Place
    last_closed: Place
    first: Place | None = None


# An unquoted template begins a value; or stands in a flow list, where its brace ends the text before it.
TEMPLATE_AT = re.compile(r"(?:^[ \t]*|[:?,\[{-][ \t]+|\[)(\{\{)")
SPACE = " \t\r\n"
OPENINGS = {"[": ("list", "]"), "{": ("mapping", "}")}


def unquoted_template(source: Source, start: int) -> Problem:
    place = source.at(start)
    rest = place.line_text[place.column - 1 :]
    end = rest.find("}}") + 2
    template = rest[:end] if end > 2 else rest.rstrip()
    before = place.line_text[: place.column - 1].rstrip()
    whole = before[-1:] in ("", ":", ",", "[", "{", "-") and rest[len(template) :].lstrip()[:1] in (
        "",
        ",",
        "]",
        "}",
        "#",
    )
    quote = "'" if '"' in template else '"'
    example = f": {quote}{template}{quote}" if whole and quote not in template else ""
    return Problem(
        "yaml.unquoted-template",
        "found a template without quotes, expected quoted text",
        source.at(start, start + len(template)),
        f"put quotes around {'it' if whole else 'the whole value'}{example}",
    )


def explain(error: Any, seen: Seen) -> Problem:
    """libyaml's complaint in our words: what was found, what was expected, what to do."""
    return _Explanation(error, seen).problem()


class _Explanation:
    def __init__(self, error: Any, seen: Seen) -> None:
        self.source, self.seen = seen.source, seen
        self.text = seen.source.text
        self.words = str(error.problem or "")
        self.context = str(error.context or "")
        self.at = self._offset(error.problem_mark)
        self.from_ = self._offset(error.context_mark) if error.context_mark else self.at
        self.found = self.text[self.at : self.at + 1]
        place = self.source.at(self.at)
        self.line = place.line
        self.is_first_on_line = not place.line_text[: place.column - 1].strip(SPACE)
        self.is_at_end = not self.text[self.at :].strip(SPACE)

    def problem(self) -> Problem:
        if "quoted scalar" not in self.context and not self._is_after_long_quote():
            template = self._template()
            if template is not None:
                return unquoted_template(self.source, template)
        for words, explain in EXPLANATIONS.items():
            if words in self.words:
                return explain(self)
        return self._say(self.words[:1].lower() + self.words[1:], "put quotes around the value if it is text")

    def _offset(self, mark: Any) -> int:
        return min(int(mark.index), len(self.text)) if mark else 0

    def _say(self, message: str, hint: str, start: int | None = None, end: int | None = None) -> Problem:
        start = self.at if start is None else start
        return Problem("yaml.syntax", message, self.source.at(start, end), hint)

    def _token(self) -> tuple[str, int]:
        """What stands at the place of the error, and where it ends."""
        match = re.compile(r"[\w.$@/-]+|\S").match(self.text, self.at)
        return (match[0][:40], match.end()) if match else ("the end of the file", self.at)

    def _shown(self) -> str:
        token, _ = self._token()
        return f'"{token}"' if not self.is_at_end else token

    def _template(self) -> int | None:
        """The unquoted template that this error comes from, if any: on its own line or the one before."""
        if self.text.startswith("{{", self.at):
            return self.at
        for number in dict.fromkeys((self.line, max(1, self.line - 1), self.source.at(self.from_).line)):
            line = self.source.line(number)
            begins = self.source.line_start(number)
            for match in TEMPLATE_AT.finditer(line.line_text):
                if begins + match.start(1) <= self.at and number >= self.source.at(self.from_).line:
                    return begins + match.start(1)
        return None

    def _mapping_value(self) -> Problem:
        previous = self.source.at(self.seen.last.start)
        if previous.line == self.line:
            return self._say('found a second ":" in this line, expected one', "put quotes around the value")
        if re.search(r"^\s*(- )?[\w-]+:[^\s/]", previous.line_text):
            hint = f'write a space after the ":" in line {previous.line}'
            return self._say('found a key, expected the line before to be "key: value"', hint)
        hint = f"indent it like line {previous.line}, or give that line no value of its own"
        return self._say(f"found a key inside the text that begins on line {previous.line}", hint)

    def _no_token(self) -> Problem:
        if self.found == "\t":
            end = self.at + len(self.text[self.at :]) - len(self.text[self.at :].lstrip("\t"))
            return self._say("found a tab, expected spaces", "indent with spaces", end=end)
        message = f'found "{self.found}", which cannot begin a value'
        return self._say(message, "put quotes around the value")

    def _tab(self) -> Problem:
        return self._say("found a tab, expected spaces", "indent with spaces")

    def _unclosed_quote(self) -> Problem:
        what = "the end of the file" if self.is_at_end else "the end of the document"
        quote = self.text[self.from_ : self.from_ + 1]
        message = f"found {what}, expected a closing {quote} for the quote that opens here"
        return self._say(message, "close the quote", self.from_, self.from_ + 1)

    def _expected_key(self) -> Problem:
        last, token = self.seen.last, self._token()
        if last.style in ("'", '"') and last.end <= self.at and not self.text[last.end : self.at].strip(SPACE):
            return self._after_quote(last)
        if not self.is_first_on_line:
            message = f"found {self._shown()} after the value, expected the end of the line"
            return self._say(message, "put quotes around the whole value", end=token[1])
        column = self.source.at(self.at).column - 1
        if column != self._column(self.from_):
            return self._indentation(column)
        if re.match(r"-\s", self.text[self.at :]):
            return self._say('found a list item ("- "), expected a key', "indent the list under its key")
        return self._say(f"found {self._shown()}, expected a key", 'write "key: value"', end=token[1])

    def _is_after_long_quote(self) -> bool:
        """A quote that was never closed ends at the next one, lines below; what follows is not to blame."""
        last = self.seen.last
        is_long = last.style in ("'", '"') and self.source.at(last.start).line < self.source.at(last.end).line
        return is_long and last.end <= self.at and not self.text[last.end : self.at].strip(SPACE)

    def _after_quote(self, last: Place) -> Problem:
        opened = self.source.at(last.start, last.end)
        if opened.line != self.source.at(last.end).line:
            message = f"found a quote that closes on line {self.line}, expected it to close on its own line"
            return self._say(message, "close the quote", last.start, last.start + 1)
        message = f"found {self._shown()} after the closing quote, expected the end of the line"
        if last.style == "'":
            hint = "write '' for an apostrophe inside single quotes, or use double quotes"
        else:
            hint = 'write \\" for a quote inside double quotes, or use single quotes'
        return self._say(message, hint, end=self._token()[1])

    def _expected_dash(self) -> Problem:
        column = self.source.at(self.at).column - 1
        if self.is_first_on_line and column == self._column(self.from_):
            hint = "indent it, or begin it with a dash"
            return self._say('found a key, expected "- " like the items above', hint)
        if self.is_first_on_line:
            return self._indentation(column)
        return self._expected_key()

    def _indentation(self, column: int) -> Problem:
        known = {self._column(self.from_), self._column(self.seen.last_closed.start)}
        last = self.seen.last
        if last.style in ("|", ">"):
            known.add(self.source.line(self.source.at(last.start).line + 1).column - 1)
        columns = sorted(known - {column})
        expected = " or ".join(str(each) for each in columns)
        message = f"found an indentation of {column}, expected {expected}"
        return self._say(message, "line it up with the lines above", end=self._token()[1])

    def _column(self, offset: int) -> int:
        return self.source.at(offset).column - 1

    def _no_colon(self) -> Problem:
        line = self.source.at(self.from_)
        hint = "write a colon and a space after the key, or indent the line"
        if self.at - self.from_ > 1024 and line.line == self.line:
            return self._say("found a key of more than 1,024 characters", "shorten it", start=self.from_)
        name = line.line_text[line.column - 1 :].strip()
        if re.match(r"[\w-]+:\S", name):
            hint = 'write a space after the ":"'
        end = self.from_ + len(name)
        if name[:1] in ("'", '"'):
            return self._say('found quoted text, expected "key: value"', "indent it under its key", self.from_, end)
        shown = name if len(name) <= 40 else name[:39] + "…"
        message = f'found "{shown}", expected "key: value"'
        return self._say(message, hint, self.from_, end)

    def _unclosed_flow(self) -> Problem:
        what, closing = OPENINGS.get(self.text[self.from_ : self.from_ + 1], ("list", "]"))
        opened = self.source.at(self.from_)
        if self.is_at_end or opened.line != self.line:
            message = f'found no closing "{closing}" for the {what} that opens here'
            return self._say(message, f'close the {what} with "{closing}"', self.from_, self.from_ + 1)
        message = f'found {self._shown()}, expected "," or "{closing}"'
        hint = "put quotes around text that holds brackets, quotes or commas"
        return self._say(message, hint, end=self._token()[1])

    def _no_content(self) -> Problem:
        if self.is_at_end:
            return self._say("found the end of the file, expected a value", "close the brackets that are open")
        return self._say(f"found {self._shown()}, expected a value", "put quotes around it if it is text")

    def _no_document(self) -> Problem:
        column = self._column(self.at)
        first = self._column(self.seen.first.start) if self.seen.first else 0
        if self.is_first_on_line and column < first:
            message = f"found an indentation of {column}, expected {first}"
            return self._say(message, "line it up with the first line", end=self._token()[1])
        message = f"found {self._shown()} after the end of the document, expected nothing more"
        return self._say(message, "take it out, or put it under a key", end=self._token()[1])

    def _dash_on_key_line(self) -> Problem:
        hint = "begin the list on the next line, or put quotes around the value"
        return self._say('found a list item ("- ") on the line of its key, expected a new line', hint)

    def _escape(self) -> Problem:
        escape = self.text[self.at : self.at + 2]
        hint = 'write "\\\\" for a backslash, or use single quotes'
        return self._say(f'found "{escape}", which is no escape, inside double quotes', hint, end=self.at + 2)

    def _escape_code(self) -> Problem:
        start = max(self.text.rfind("\\", 0, self.at), 0)
        hint = "write the character itself; halves of a pair (\\ud83c\\udf89) are JSON's, not YAML's"
        return self._say("found an escape that names no character", hint, start, self.at + 4)

    def _tag_handle(self) -> Problem:
        tag, end = re.compile(r"\S+").match(self.text, self.from_), self.from_ + 1
        shown = tag[0] if tag else "!"
        end = tag.end() if tag else end
        return Problem("yaml.tag", f'unknown tag "{shown}"', self.source.at(self.from_, end), "remove the tag")

    def _block_header(self) -> Problem:
        style = self.text[self.from_ : self.from_ + 1]
        message = f'found {self._shown()} after "{style}", expected the text on the next line'
        return self._say(message, f'put quotes around the value if it begins with "{style}"', end=self._token()[1])

    def _no_name(self) -> Problem:
        sign = self.text[self.from_ : self.from_ + 1]
        what = "an alias" if sign == "*" else "an anchor"
        message = f'found "{sign}" without a name, expected {what}'
        return self._say(message, "put quotes around the value", self.from_, self.from_ + 1)

    def _version(self) -> Problem:
        return self._say("found another YAML version, expected 1.2", "remove the %YAML line")

    def _directive(self) -> Problem:
        line = self.source.line(self.line)
        message = 'found "%" at the beginning of a line, which is for directives'
        return self._say(message, "put quotes around the value", self.source.line_start(line.line) + line.column - 1)

    def _unseparated(self) -> Problem:
        message = f"found {self._shown()} right after a tag, expected a space"
        return self._say(message, 'put quotes around text that begins with "!"', end=self._token()[1])

    def _colon_in_flow(self) -> Problem:
        message = 'found a ":" inside plain text in brackets, expected a space after it'
        return self._say(message, "put quotes around the text")

    def _question(self) -> Problem:
        message = 'found "? " after other text, expected it at the beginning of a line'
        return self._say(message, "put quotes around the text")

    def _deep(self) -> Problem:
        message = f"found more than {MAX_DEPTH} levels"
        return Problem("yaml.too-deep", message, self.source.at(self.at), "nest less deeply")


EXPLANATIONS: dict[str, Callable[[_Explanation], Problem]] = {
    "block sequence entries are not allowed": _Explanation._dash_on_key_line,
    "could not find expected ':'": _Explanation._no_colon,
    "depth": _Explanation._deep,
    "did not find expected ',' or": _Explanation._unclosed_flow,
    "did not find expected '-' indicator": _Explanation._expected_dash,
    "did not find expected <document start>": _Explanation._no_document,
    "did not find expected alphabetic or numeric character": _Explanation._no_name,
    "did not find expected comment or line break": _Explanation._block_header,
    "did not find expected hexdecimal number": _Explanation._escape_code,
    "could not find expected directive name": _Explanation._directive,
    "did not find expected key": _Explanation._expected_key,
    "did not find expected node content": _Explanation._no_content,
    "did not find expected whitespace or line break": _Explanation._unseparated,
    "found a tab": _Explanation._tab,
    "found character that cannot start any token": _Explanation._no_token,
    "found incompatible YAML document": _Explanation._version,
    "found invalid Unicode character escape code": _Explanation._escape_code,
    "found undefined tag handle": _Explanation._tag_handle,
    "found unexpected document indicator": _Explanation._unclosed_quote,
    "found unexpected end of stream": _Explanation._unclosed_quote,
    "found unexpected ':'": _Explanation._colon_in_flow,
    "found unexpected non-alphabetical character": _Explanation._directive,
    "found unknown directive name": _Explanation._directive,
    "found unknown escape character": _Explanation._escape,
    "mapping keys are not allowed": _Explanation._question,
    "mapping values are not allowed": _Explanation._mapping_value,
}
