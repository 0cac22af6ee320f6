"""A provider that fails in every way a network knows: nothing is lost, nobody is doubled, the ledger is exact."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from stage import BOTH, ONBOARD, Onboard, Ran, Sandbox, person

READS = (
    "balances.get",
    "balances.list",
    "clients.get",
    "documents.list",
    "orders.by_reference",
    "orders.get",
    "orders.list",
)
SHORT = "extends: coinmena\ntimeout: 0.5s\n"


def exact(sandbox: Sandbox, *keys: str) -> None:
    """Each of them exists once, with one document, one deposit of 100.00 and one withdrawal of 25.00."""
    assert sorted(keys) == sorted(sandbox.clients)
    assert sorted(keys) == sorted(document["partner_client_id"] for document in sandbox.documents)
    wanted = {"deposit": Decimal("100.00"), "withdrawal": Decimal("-25.00"), "balance": Decimal("75.00")}
    assert {(key, "USD"): wanted for key in keys} == sandbox.ledger
    for key in keys:
        assert ["deposit", "withdrawal"] == [order["type"] for order in sandbox.orders(key)]


def everybody_is_done(ran: Ran, count: int) -> None:
    assert 0 == ran.code, ran.story
    assert {"done": count} == ran.totals
    money = {"deposits": f"{100 * count}.00", "withdrawals": f"{25 * count}.00", "payouts": "0.00"}
    assert {"USD": money} == ran.report["totals"]["money"]


def two_people(onboard: Onboard) -> tuple[object, ...]:
    return ("--clients", onboard.clients(person(1, withdrawal="25.00"), person(2, withdrawal="25.00")))


@pytest.mark.parametrize(
    ("operation", "fault"),
    [*((operation, "503-before") for operation in READS)]
    + [("clients.get", fault) for fault in ("500-before", "drop-before", "truncated", "not-json")],
)
def test_a_read_is_asked_again(onboard: Onboard, sandbox: Sandbox, operation: str, fault: str) -> None:
    sandbox.fault(f"{operation}={fault}:x1")
    clients = onboard.clients(person(1, withdrawal="25.00"))

    ran = onboard.run(BOTH, "--clients", clients)

    everybody_is_done(ran, 1)
    assert 1 == sandbox.struck
    exact(sandbox, "user_1")
    assert ran.report["totals"]["requests"] == sandbox.requests


def test_a_read_that_never_works_leaves_the_client_waiting(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("documents.list=500-before:client=user_1")
    text = ONBOARD.read_text("utf-8").replace(
        "call: documents.list\n", "call: documents.list\n    retry: {attempts: 2, first: 10ms, at_most: 10ms}\n"
    )

    ran = onboard.run(onboard.write("short.playbook.yaml", text), *two_people(onboard))

    assert {"user_1": "waiting", "user_2": "done"} == ran.outcomes
    assert ran.code in (4, 6), ran.story
    assert ran.problem("user_1")["code"].startswith("http.")
    assert ran.problem("user_1")["hint"]


def test_a_pause_that_the_provider_asks_for_is_kept(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("clients.get=429:1:x1", "deposits.create=429:1:x1")

    ran = onboard.run(BOTH, *two_people(onboard), "--jobs", 1)

    everybody_is_done(ran, 2)
    exact(sandbox, "user_1", "user_2")
    assert ran.step("user_1", "confirm")["duration_ms"] >= 1000
    assert ran.step("user_1", "deposit")["duration_ms"] >= 1000


EFFECTS = ("clients.create", "documents.upload", "deposits.create", "withdrawals.create")
STEPS = dict(zip(EFFECTS, ("create", "upload", "deposit", "withdraw"), strict=True))


@pytest.mark.parametrize(
    ("operation", "fault"),
    [*((operation, "drop-after") for operation in EFFECTS)]
    + [("deposits.create", fault) for fault in ("500-after", "503-after", "truncated", "not-json")]
    + [("clients.create", "truncated"), ("documents.upload", "500-after")],
)
def test_an_effect_whose_answer_was_lost_is_looked_up_and_adopted(
    onboard: Onboard, sandbox: Sandbox, operation: str, fault: str
) -> None:
    sandbox.fault(f"{operation}={fault}:x1:client=user_1")

    ran = onboard.run(BOTH, *two_people(onboard))

    everybody_is_done(ran, 2)
    exact(sandbox, "user_1", "user_2")
    assert 1 == sandbox.struck
    assert 2 == sandbox.asked(operation), "it was sent again"
    assert ran.step("user_1", STEPS[operation])["adopted"]
    assert "adopted" not in ran.client("user_2")


@pytest.mark.parametrize("operation", ["clients.create", "deposits.create", "withdrawals.create"])
@pytest.mark.parametrize("fault", ["drop-before", "503-before"])
def test_an_effect_that_did_not_happen_is_sent_again(
    onboard: Onboard, sandbox: Sandbox, operation: str, fault: str
) -> None:
    sandbox.fault(f"{operation}={fault}:x1:client=user_1")

    ran = onboard.run(BOTH, *two_people(onboard))

    everybody_is_done(ran, 2)
    exact(sandbox, "user_1", "user_2")
    assert 3 == sandbox.asked(operation)


def test_an_upload_that_may_still_land_is_not_sent_again_at_once(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("documents.upload=drop-before:x1:client=user_1")

    ran = onboard.run(BOTH, *two_people(onboard), "--wait", "0")

    assert 4 == ran.code, ran.story
    assert {"user_1": "waiting", "user_2": "done"} == ran.outcomes
    assert "effect.in-flight" == ran.problem("user_1")["code"]
    assert 2 == sandbox.asked("documents.upload")
    assert [] == [one for one in sandbox.documents if one["partner_client_id"] == "user_1"]


def test_many_losses_at_once_still_come_to_exact_books(onboard: Onboard, sandbox: Sandbox) -> None:
    people = [person(number, withdrawal="25.00") for number in range(1, 13)]
    sandbox.fault(
        "deposits.create=drop-after:x4",
        "withdrawals.create=500-after:x4",
        "clients.create=drop-after:x3",
        "documents.upload=truncated:x3",
        "clients.get=503-before:x3",
    )

    ran = onboard.run(BOTH, "--clients", onboard.clients(*people), "--jobs", 12)

    everybody_is_done(ran, 12)
    assert 17 == sandbox.struck
    exact(sandbox, *(row["partner_client_id"] for row in people))


@pytest.mark.parametrize("operation", ["clients.create", "deposits.create", "documents.upload"])
def test_silence_after_an_effect_ends_in_a_look_up(onboard: Onboard, sandbox: Sandbox, operation: str) -> None:
    sandbox.fault(f"{operation}=hang-after:3:x1")

    ran = onboard.run(BOTH, *two_people(onboard), "--provider-file", onboard.write("pack.yaml", SHORT))

    everybody_is_done(ran, 2)
    exact(sandbox, "user_1", "user_2")
    assert 2 == sandbox.asked(operation)


def test_silence_on_a_read_ends_in_another_try(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("clients.get=hang:3:x1")

    ran = onboard.run(BOTH, *two_people(onboard), "--provider-file", onboard.write("pack.yaml", SHORT))

    everybody_is_done(ran, 2)


def test_a_look_up_that_fails_leaves_it_unknown_and_nothing_is_sent_again(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault("deposits.create=drop-after:x1:client=user_1", "orders.by_reference=500-before")

    ran = onboard.run(BOTH, *two_people(onboard), "--select", "client.partner_client_id == 'user_1'")

    assert 5 == ran.code, ran.story
    assert {"user_1": "unknown"} == ran.outcomes
    assert "effect.unknown" == ran.problem("user_1")["code"]
    assert "onboard recover" in ran.problem("user_1")["hint"] + ran.out
    assert 1 == sandbox.asked("deposits.create")
    assert ran.step("user_1", "deposit")["references"][0] in ran.problem("user_1")["message"]


def test_one_client_that_fails_touches_nobody_else(onboard: Onboard, sandbox: Sandbox) -> None:
    sandbox.fault(
        "deposits.create=rejected:client=user_2",
        "documents.upload=drop-after:client=user_3",
        # Not every operation: an upload that was lost is waited for longer than a test does.
        "clients.get=503-before:p0.1",
        "withdrawals.create=503-before:p0.1",
    )
    people = [person(number, withdrawal="25.00") for number in range(1, 9)]

    ran = onboard.run(BOTH, "--clients", onboard.clients(*people))

    assert "rejected" == ran.outcomes["user_2"], ran.story
    assert {"done"} == {ran.outcomes[f"user_{number}"] for number in (1, 4, 5, 6, 7, 8)}


# -- clocks --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("offset", ["-120", "120", "-86400"])
def test_a_clock_that_is_wrong_does_no_harm(
    onboard: Onboard, start_sandbox: Callable[..., Sandbox], offset: str
) -> None:
    skewed = start_sandbox(f"--clock-offset={offset}")
    onboard.env.update(skewed.env)

    ran = onboard.run(BOTH, *two_people(onboard))

    everybody_is_done(ran, 2)
    exact(skewed, "user_1", "user_2")
    causes = [refusal["cause"] for refusal in skewed.state["refusals"]]
    assert len(causes) <= 8


# -- the signed message --------------------------------------------------------------------------------------------

RECIPES = {
    "dots": (("separator=dot",), 'message: "{{ timestamp }}.{{ method }}.{{ path }}.{{ body_hash }}"'),
    "nothing between": (("separator=none",), 'message: "{{ timestamp }}{{ method }}{{ path }}{{ body_hash }}"'),
    "a bar": (("separator=|",), 'message: "{{ timestamp }}|{{ method }}|{{ path }}|{{ body_hash }}"'),
    "small method": (
        ("method=lower",),
        'message: "{{ timestamp }}\\n{{ method | lower }}\\n{{ path }}\\n{{ body_hash }}"',
    ),
    "base64 hash": (("hash=base64",), "body_hash: {encoding: base64}"),
    "capital hash": (("hash=hex-upper",), "body_hash: {encoding: hex-upper}"),
    "with the query": (("query=yes",), 'message: "{{ timestamp }}\\n{{ method }}\\n{{ target }}\\n{{ body_hash }}"'),
    "no hash of nothing": (("empty=empty",), "body_hash: {empty: empty}"),
    "no hash of a form": (("multipart=empty",), "body_hash: {multipart: empty}"),
}  # fmt: skip


@pytest.mark.parametrize(("settings", "change"), RECIPES.values(), ids=RECIPES.keys())
def test_the_recipe_of_the_signature_is_data(
    onboard: Onboard, start_sandbox: Callable[..., Sandbox], settings: tuple[str, ...], change: str
) -> None:
    particular = start_sandbox(*(word for setting in settings for word in ("--signing", setting)))
    onboard.env.update(particular.env)
    pack = onboard.write("pack.yaml", f"extends: coinmena\nauth:\n  {change}\n")
    words = two_people(onboard)

    everybody_is_done(onboard.run(BOTH, *words, "--provider-file", pack), 2)
    exact(particular, "user_1", "user_2")


def test_another_recipe_is_refused_with_exit_6(onboard: Onboard, start_sandbox: Callable[..., Sandbox]) -> None:
    particular = start_sandbox("--signing", "separator=dot")
    onboard.env.update(particular.env)

    ran = onboard.run(BOTH, *two_people(onboard))

    assert 6 == ran.code, ran.story
    assert {"not_started": 2} == ran.totals
    assert {} == particular.clients
    assert "coinmena.unauthorized" in ran.out


def test_a_pack_in_the_working_folder_is_found(onboard: Onboard, start_sandbox: Callable[..., Sandbox]) -> None:
    particular = start_sandbox("--signing", "separator=dot")
    onboard.env.update(particular.env)
    onboard.write("providers/coinmena/provider.yaml", f"extends: coinmena\nauth:\n  {RECIPES['dots'][1]}\n")

    everybody_is_done(onboard.run(BOTH, *two_people(onboard)), 2)


def test_an_address_that_is_not_allowed_is_told_like_a_wrong_key(
    onboard: Onboard, start_sandbox: Callable[..., Sandbox]
) -> None:
    elsewhere = start_sandbox("--allow-ip", "192.0.2.1")
    onboard.env.update(elsewhere.env)

    ran = onboard.run(ONBOARD, *two_people(onboard))

    assert 6 == ran.code, ran.story
    assert "allow list" in ran.out


def test_the_rate_limit_of_a_provider_is_lived_with(onboard: Onboard, start_sandbox: Callable[..., Sandbox]) -> None:
    slow = start_sandbox("--rate", "25")
    onboard.env.update(slow.env)

    ran = onboard.run(BOTH, *two_people(onboard), "--rate", "20/s")

    everybody_is_done(ran, 2)
    assert "429" not in slow.state["answers"]
