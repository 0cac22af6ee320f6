"""Our evaluation beside Jinja's own: where both have a value, it is the same one.

Types are kept apart on purpose: a list or a truth that becomes text speaks YAML here and Python there.
"""

from __future__ import annotations

from collections.abc import Callable

import jinja2.sandbox
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.templates import TemplateError, compile_text

JINJA = jinja2.sandbox.SandboxedEnvironment(undefined=jinja2.StrictUndefined)
SCOPE = {
    "n": 7,
    "t": "ab Cd-e\nfoo",
    "ns": [3, 1, 2, 3],
    "ts": ["b", "A", "c x"],
    "ms": [{"k": 2, "t": "b"}, {"k": 1, "t": "B"}, {"t": "a"}],
}


def filled(*forms: str) -> st.SearchStrategy[str]:
    """One of `forms`, where N, T, L, X and B stand for a number, a text, lists of the two, and a condition."""
    parts = {"N": NUMBERS, "T": TEXTS, "L": LISTS_OF_NUMBERS, "X": LISTS_OF_TEXTS, "B": CONDITIONS}

    def fill(form: str) -> st.SearchStrategy[str]:
        pieces = [parts[piece] if piece in parts else st.just(piece) for piece in form.split("_")]
        return st.tuples(*pieces).map(lambda found: "(" + "".join(found) + ")")

    return st.sampled_from(forms).flatmap(fill)


NUMBERS: st.SearchStrategy[str] = st.deferred(
    lambda: st.sampled_from(["n", "1", "12", "ns[0]", "-4", "ms[0].k"])
    | filled(
        "_N_ + _N_", "_N_ - _N_", "_N_ * _N_", "_N_ // _N_", "_N_ % _N_", "-_N_", "_N_ if _B_ else _N_", "_N_|abs",
        "_X_|length", "_T_|count", "_L_|sum", "_L_|max", "_L_|min", "_L_|first", "_L_|last", "_T_|wordcount",
        "_L_[_N_]", "_N_ and _N_", "_N_ or _N_", "_T_|int(0)", "_N_|default(1)", "nobody|default(_N_)",
    )
)  # fmt: skip
TEXTS: st.SearchStrategy[str] = st.deferred(
    lambda: st.sampled_from(["t", "ts[0]", "'q r'", "'a<b>&\"c\"'", "''", "ms[1].t"])
    | filled(
        "_T_ ~ _T_", "_T_ + _T_", "_T_ ~ _N_", "_T_ * 2", "_T_ if _B_ else _T_", "_T_|upper", "_T_|lower", "_T_|title",
        "_T_|capitalize", "_T_|trim", "_T_|trim('ab')", "_T_|center(9)", "_T_|replace('a', _T_)", "_T_|truncate(6)",
        "_T_|replace('', '.', 2)", "_T_|truncate(4, true, '.', 0)", "_T_|urlencode", "_T_|indent(2)", "_T_|reverse",
        "_T_|indent(3, true, true)", "_T_|indent('>', blank=true)", "_T_|e|string", "_T_|wordwrap(3)", "_X_|join",
        "_T_|wordwrap(5, false)", "_X_|join('-')", "_L_|join(',')", "_X_|first", "_X_|max", "_T_[1:]", "_T_[_N_]",
        "_X_|min(case_sensitive=true)", "_N_|string", "'%s+%d' % (_T_, _N_)", "'%5s|%-5s|%05d' % (_T_, _T_, _N_)",
        "'%x'|format(_N_)", "_T_.upper()", "_T_.strip()", "_T_.title()", "{'a': _T_, 'b': _N_}|urlencode",
        "ms|map(attribute='t')|join",
    )
)  # fmt: skip
LISTS_OF_NUMBERS: st.SearchStrategy[str] = st.deferred(
    lambda: st.sampled_from(["ns", "[4, 5]", "range(4)|list"])
    | filled(
        "_L_ + _L_", "_L_|sort", "_L_|sort(reverse=true)", "_L_|unique|list", "_L_|reverse|list", "_L_[1:]", "_L_[::-1]",
        "_L_|select('odd')|list", "_L_|reject('gt', _N_)|list", "_L_|map('abs')|list", "[_N_, _N_]", "_L_|list", "_L_ * 2",
        "ms|map(attribute='k', default=_N_)|list", "_L_|batch(2)|map('sum')|list", "_L_|batch(3, 0)|map('first')|list",
        "_L_|slice(2)|map('sum')|list", "_L_|slice(3, 9)|map('length')|list",
        "ms|selectattr('k', 'defined')|map(attribute='k')|list",
    )
)  # fmt: skip
LISTS_OF_TEXTS: st.SearchStrategy[str] = st.deferred(
    lambda: st.sampled_from(["ts", "['x']", "[]"])
    | filled(
        "_X_ + _X_", "_X_|sort", "_X_|sort(true, true)", "_X_|unique|list", "_X_|unique(true)|list", "_X_|select|list",
        "_X_|map('upper')|list", "_X_|reject('in', _X_)|list", "_T_.split('b')", "_T_.split()", "_T_|list", "[_T_, _T_]",
        "ms|sort(attribute='t')|map(attribute='t')|list", "ms|groupby('t')|map(attribute='grouper')|list",
        "ms|rejectattr('k', 'defined')|map(attribute='t')|list", "ms|groupby('t')|map(attribute='list')|map('length')|list",
        "ms|unique(attribute='t')|map(attribute='t')|list", "{'b': _N_, 'A': _N_}|dictsort|map('first')|list",
    )
)  # fmt: skip
CONDITIONS: st.SearchStrategy[str] = st.deferred(
    lambda: st.sampled_from(["true", "false", "nobody is defined", "n is defined", "ms[2].k is undefined"])
    | filled(
        "_N_ == _N_", "_N_ < _N_ <= _N_", "_T_ != _T_", "_T_ in _X_", "_N_ not in _L_", "_T_ in _T_", "not _B_",
        "_B_ and _B_", "_B_ or _B_", "_N_ is odd", "_N_ is even", "_N_ is divisibleby 3", "_T_ is lower", "_T_ is string",
        "_L_ is sequence", "_N_ is number", "_N_ is not none", "_L_ == _L_", "_T_ < _T_", "_N_ is eq _N_", "_T_ is in _X_",
    )
)  # fmt: skip


@settings(
    max_examples=1500, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
@given(NUMBERS | TEXTS | LISTS_OF_NUMBERS | LISTS_OF_TEXTS | CONDITIONS)
def test_where_both_have_a_value_it_is_the_same(expression: str) -> None:
    theirs, their_error = tried(
        lambda: plain(JINJA.compile_expression(expression, undefined_to_none=False)(SCOPE))
    )
    ours, our_error = tried(lambda: compile_text("{{ " + expression + " }}").render(SCOPE))
    if their_error or isinstance(theirs, jinja2.Undefined):
        assert isinstance(our_error, TemplateError)
    else:
        assert our_error is None
        assert theirs == ours


def tried(act: Callable[[], object]) -> tuple[object, Exception | None]:
    try:
        return act(), None
    except Exception as error:
        return None, error


def plain(value: object) -> object:
    """Jinja's generators and tuples as lists."""
    if isinstance(value, str | int | jinja2.Undefined):
        return value
    assert hasattr(value, "__iter__")
    return [plain(item) for item in value]
