"""Expressions in an author's text: read once, rendered for every client, pure, and bounded in time and size.

One language, Jinja's expressions in `{{ }}`, and nothing else of Jinja. Only what an author wrote is ever
read as an expression; what comes out of the scope is data and stays as it is.

    render({"name": "{{ client.name | upper }}", "back": "{{ client.back | optional }}"}, scope)
"""

from __future__ import annotations

from runner.templates.references import Reference
from runner.templates.template import Template, compile_expression, compile_text, has_template, render
from runner.templates.values import OMIT, TemplateError, Unknown

__all__ = [
    "OMIT",
    "Reference",
    "Template",
    "TemplateError",
    "Unknown",
    "compile_expression",
    "compile_text",
    "has_template",
    "render",
]
