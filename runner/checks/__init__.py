"""Checks: `path operator value`, read, held against an answer, and compared with what a schema allows."""

from runner.checks.answers import Answer, evaluate, find, jsonable
from runner.checks.errors import CheckError, Finding
from runner.checks.operands import resolve
from runner.checks.operators import OPERATORS, equal
from runner.checks.parsing import parse
from runner.checks.paths import lookup, parse_path, path_text
from runner.checks.schemas import enum_problem, path_problem
from runner.checks.values import parse_value

__all__ = [
    "OPERATORS",
    "Answer",
    "CheckError",
    "Finding",
    "enum_problem",
    "equal",
    "evaluate",
    "find",
    "jsonable",
    "lookup",
    "parse",
    "parse_path",
    "parse_value",
    "path_problem",
    "path_text",
    "resolve",
]
