"""Read a playbook the way a careful reviewer would: names, templates, operations, checks, money, secrets.

Works on the text as loaded, so that one broken step does not hide what is wrong with the next.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from runner.load.review_calls import call_problems
from runner.load.review_checks import check_problems
from runner.load.review_documents import document_problems
from runner.load.review_money import money_problems
from runner.load.review_names import name_problems
from runner.load.review_secrets import secret_problems
from runner.load.review_texts import text_problems
from runner.load.reviewed import Review
from runner.model.problem import Problem

__all__ = ["REVIEWERS", "Review", "review"]

REVIEWERS: dict[str, Callable[[Review], Iterator[Problem]]] = {
    "calls": call_problems,
    "checks": check_problems,
    "documents": document_problems,
    "money": money_problems,
    "names": name_problems,
    "secrets": secret_problems,
    "texts": text_problems,
}


def review(subject: Review) -> list[Problem]:
    """Everything that the schema alone can't see, by every reviewer."""
    return [problem for reviewer in REVIEWERS.values() for problem in reviewer(subject)]
