"""The same row asks for the same reference on any machine, for ever; two rows never share one."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stand_ins import CREATE, DEPOSIT, PACK, person, setting_of

from runner.conductor import bind, scope_of
from runner.references import canonical, fingerprint, numbered, operation_reference, reference

WORDS = st.text(max_size=40)
IDENTITY = st.tuples(WORDS, WORDS, WORDS, st.from_regex(r"[a-z][a-z0-9_]{0,30}", fullmatch=True), st.integers(-1, 9))


def test_a_reference_reads_well_and_never_changes() -> None:
    """Written down once: a change here would pay everybody again after an update."""
    assert "deposit-user-1-0bd3e1e9dc0fa267" == reference("pay", "b", "user_1", "deposit", -1)
    assert "deposit-user-1-6495103fc76f4e5c" == reference("pay", "b", "user_1", "deposit", 0)


def test_a_reference_does_not_depend_on_the_process() -> None:
    code = "from runner.references import reference; print(reference('pay', 'b', 'user_1', 'deposit', -1))"
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        assert "deposit-user-1-0bd3e1e9dc0fa267\n" == done.stdout


@given(IDENTITY, IDENTITY)
def test_different_rows_have_different_references(one: Any, other: Any) -> None:
    assert (one == other) == (reference(*one) == reference(*other))


@given(IDENTITY, st.integers(12, 80))
def test_a_reference_fits_with_its_number(identity: Any, most: int) -> None:
    base = reference(*identity, max_length=most)
    assert base == reference(*identity, max_length=most)
    for number in (1, 2, 99, 999):
        assert len(numbered(base, number)) <= most
    assert base.isascii()
    assert base == base.strip("-").lower()
    assert len(base) >= min(most - 4, 16)


@pytest.mark.parametrize(("number", "shown"), [(0, "a"), (1, "a"), (2, "a-2"), (10, "a-10")])
def test_the_first_reference_has_no_number(number: int, shown: str) -> None:
    assert shown == numbered("a", number)


def test_a_fingerprint_is_of_what_is_asked_for() -> None:
    assert fingerprint("x", {"a": 1, "b": "2"}) == fingerprint("x", {"b": "2", "a": 1})
    assert fingerprint("x", {"a": 1}) != fingerprint("y", {"a": 1})
    assert fingerprint("x", {"a": 1}) != fingerprint("x", {"a": "1"})
    assert fingerprint("x", {"a": "1.0"}) != fingerprint("x", {"a": "1.00"})
    assert '[1,{"a":"1E+2","b":null}]' == canonical([1, {"b": None, "a": "1E+2"}])
    assert '"100"' == canonical(Decimal("1E+2"))
    assert '"{1}"' == canonical({1})


def test_an_operation_without_a_reference_has_none() -> None:
    setting = setting_of(CREATE)
    command = bind(CREATE, -1, scope_of(setting, person()))
    assert "" == operation_reference(setting, person(), command, PACK.operations["clients.create"])


def test_the_authors_own_reference_wins() -> None:
    own = replace(DEPOSIT, values={**DEPOSIT.values, "partner_order_ref": "{{ client.id }}-x"})
    setting = setting_of(own)
    command = bind(own, -1, scope_of(setting, person()))
    assert "user_1-x" == operation_reference(setting, person(), command, PACK.operations["deposits.create"])


def test_batch_client_step_and_item_name_a_payment() -> None:
    setting = setting_of(DEPOSIT)
    command = bind(DEPOSIT, -1, scope_of(setting, person()))
    operation = PACK.operations["deposits.create"]
    names = {
        operation_reference(setting, person(), command, operation),
        operation_reference(replace(setting, batch="c"), person(), command, operation),
        operation_reference(setting, person(2), command, operation),
        operation_reference(setting, person(), replace(command, item=0), operation),
        operation_reference(setting, person(), replace(command, step=replace(DEPOSIT, id="other")), operation),
    }
    assert 5 == len(names)
