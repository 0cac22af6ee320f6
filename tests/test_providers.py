"""Each shipped pack is complete, fits its schema, and says of every operation what the engine needs."""

from __future__ import annotations

import pytest

from runner import resources
from runner.load.pack import find_pack
from runner.load.pack_files import read_files
from runner.load.schema import Schema, schema_complaints
from runner.model.provider import Operation, Provider
from runner.templates import compile_text

PACKS = resources.provider_names()
OPERATIONS = [(name, operation) for name in PACKS for operation in find_pack(name).operations]

# The operations that playbooks rely on, by pack: widened, never narrowed or renamed.
CONTRACT = {
    "coinmena": {
        "balances.get",
        "balances.list",
        "clients.activate",
        "clients.create",
        "clients.get",
        "deposits.create",
        "documents.list",
        "documents.upload",
        "orders.by_reference",
        "orders.get",
        "orders.list",
        "public.assets",
        "public.countries",
        "quotes.create",
        "quotes.execute",
        "withdrawals.create",
    },
    "cryptomate": {
        "clients.create",
        "clients.create_legacy",
        "clients.get",
        "clients.update",
        "countries.list",
        "products.document",
        "products.list",
        "products.request",
        "products.submit",
    },
    "fin": {
        "balances.list",
        "beneficiaries.create",
        "beneficiaries.get",
        "catalogue.countries",
        "catalogue.occupations",
        "catalogue.purposes",
        "catalogue.source_of_funds",
        "catalogue.subdivisions",
        "catalogue.transaction_purposes",
        "customers.create",
        "customers.create_v1",
        "customers.get",
        "customers.get_v1",
        "customers.update",
        "documents.attach",
        "documents.attach_v1",
        "documents.upload",
        "transactions.by_beneficiary",
        "transactions.get",
        "transfers.create",
        "transfers.settle",
    },
}


@pytest.fixture(params=PACKS)
def pack(request: pytest.FixtureRequest) -> Provider:
    return find_pack(request.param)


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_fits_its_schema(name: str) -> None:
    path = resources.providers() / name / "provider.yaml"
    files = read_files(path)
    schema = Schema.read(resources.schemas() / "provider.schema.json")

    assert [] == schema.problems(files.body, files.locate)


def test_a_pack_has_the_operations_that_playbooks_rely_on(pack: Provider) -> None:
    assert CONTRACT[pack.name] <= set(pack.operations)


def test_a_pack_has_a_safe_and_a_live_environment(pack: Provider) -> None:
    assert not pack.environments["sandbox"].live
    assert pack.environments["production"].live
    assert pack.environments["production"].base_url.startswith("https://")


def test_every_refusal_has_words_and_a_way_out(pack: Provider) -> None:
    for rule in pack.errors.rules:
        assert rule.text
        assert rule.hint
        assert rule.code is not None or rule.status is not None


def test_a_pack_tells_what_is_known_and_what_is_guessed(pack: Provider) -> None:
    assert (resources.providers() / pack.name / "README.md").is_file()


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_schemas_of_an_operation_are_schemas(name: str, operation: str) -> None:
    found = find_pack(name).operations[operation]

    for body in (found.request, found.response):
        assert [] == schema_complaints(body, lambda where, key: None)


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_every_field_in_the_path_is_asked_for(name: str, operation: str) -> None:
    found = find_pack(name).operations[operation]
    fields = [piece.partition("}")[0] for piece in found.path.split("{")[1:]]

    assert set(fields) <= set(found.request.get("required", ()))


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_what_must_not_happen_twice_can_be_looked_up(name: str, operation: str) -> None:
    pack = find_pack(name)
    found: Operation = pack.operations[operation]
    if not found.is_effect:
        return

    if found.repeat == "replayed":
        # Asked again, the provider tells what came of it.
        assert found.replays > 0
        assert found.reference is not None
        return
    assert found.look_up is not None
    asked = pack.operations[found.look_up.call]
    assert "read" == asked.effect
    assert set(found.look_up.values) <= set(asked.request.get("properties", ()))
    known = {"with", "reference"}
    known |= {"pledge"} if found.money and found.money.pledge else set()
    known |= {"told"} if found.look_up.told else set()
    for text in (*found.look_up.values.values(), *found.look_up.equal.values(), *found.look_up.where.values()):
        assert {reference.names[0] for reference in compile_text(str(text)).references} <= known
    if found.effect == "money":
        assert found.money is not None
        if found.money.pledge:
            # Reference and amount are the promise's.
            promises = [one.money for one in pack.operations.values() if one.money and one.money.settled_by]
            assert [operation] == [one.settled_by for one in promises]
            return
        assert found.reference is not None
        assert found.reference.field in found.request["properties"]
        assert found.money.amount in found.request["required"]
