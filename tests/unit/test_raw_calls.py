"""A raw request is recognised as a create or money call of the pack, however it is written."""

from __future__ import annotations

import pytest
from stand_ins import PACK, PLACE, person, stage

from runner.advance import Done, advance
from runner.load.pack import find_pack
from runner.model.outcome import Ending
from runner.model.playbook import Step
from runner.raw_calls import disguised, effect_behind

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("method", "path", "name"),
    [
        ("POST", "/v1/partner/deposits", "deposits.create"),
        ("post", "/v1/partner/deposits", "deposits.create"),
        ("POST", "/v1/partner/deposits/", "deposits.create"),
        ("POST", "//v1/./partner/deposits?x=1#y", "deposits.create"),
        ("POST", "/V1/partner/%64eposits", "deposits.create"),
        ("POST", "/v1/partner/withdrawals", "withdrawals.create"),
        ("POST", "/v1/partner/clients", "clients.create"),
        ("GET", "/v1/partner/deposits", None),
        ("POST", "/v1/partner/deposits/more", None),
        ("POST", "/v1/partner", None),
        ("POST", "/deposits", None),
    ],
)
def test_what_is_behind_a_raw_request(method: str, path: str, name: str | None) -> None:
    found = effect_behind(PACK.operations.values(), method, path)
    assert name == (found.name if found else None)


def test_a_part_that_is_filled_in_may_be_anything() -> None:
    operations = find_pack("cryptomate").operations.values()
    found = effect_behind(operations, "POST", "/management/clients/individuals/c-1/products")
    assert "products.request" == (found and found.name)


def test_money_is_an_error_and_a_create_a_warning() -> None:
    told = {name: disguised(PACK.operations[name], None).severity for name in ("deposits.create", "clients.create")}
    assert {"deposits.create": "error", "clients.create": "warning"} == told


async def test_a_path_that_turns_out_to_be_a_money_call_is_not_sent() -> None:
    raw = {"method": "POST", "path": "/v1/partner/{{ client.where }}", "json": {"amount": "1.00"}}
    on = stage(Step("sly", PLACE, request=raw, effect="write"))
    got = await advance(on.run(person(where="deposits")))
    assert isinstance(got, Done)
    assert (Ending.REJECTED, "request.is-operation") == (got.result.outcome, getattr(got.result.problem, "code", None))
    assert [] == on.desk.requests
