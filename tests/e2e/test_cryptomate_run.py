"""CryptoMate as a user runs it: requirements, verdicts, waiting, webhooks, against its sandbox's own books."""

from __future__ import annotations

import csv
import io
import json
import signal
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest
from stage import ROOT, Onboard, Sandbox

PLAYBOOK = ROOT / "playbooks" / "cryptomate" / "enable-cards.playbook.yaml"
LEGACY = ROOT / "playbooks" / "cryptomate" / "create-client-legacy.playbook.yaml"
EXAMPLES = ROOT / "examples" / "cryptomate"
ROWS = list(csv.DictReader((EXAMPLES / "clients.csv").read_text("utf-8").splitlines()))


@pytest.fixture(scope="module")
def _cryptomate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    home = tmp_path_factory.mktemp("cryptomate")
    sandbox = Sandbox(home, "--kyc-delay", "0.3", "--webhook-retry-first", "0.1", provider="cryptomate")
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(_cryptomate: Sandbox) -> Sandbox:
    _cryptomate.reset()
    return _cryptomate


@pytest.fixture
def quick(onboard: Onboard) -> Path:
    """The shipped playbook, asking as often as a test wants to wait."""
    text = PLAYBOOK.read_text("utf-8")
    assert "every: 5s" in text
    return onboard.write("quick.playbook.yaml", text.replace("every: 5s", "every: 200ms"))


def rows(onboard: Onboard, *changes: Mapping[str, str]) -> Path:
    """As many of the example's people as there are `changes`, with their documents."""
    out = io.StringIO()
    writer = csv.DictWriter(out, ROWS[0], lineterminator="\n")
    writer.writeheader()
    writer.writerows({**row, **change} for row, change in zip(ROWS, changes, strict=False))
    for path in (EXAMPLES / "documents").iterdir():
        onboard.write(f"documents/{path.name}", path.read_bytes())
    return onboard.write("clients.csv", out.getvalue())


def scenario(sandbox: Sandbox, **body: Any) -> None:
    sandbox.load(**body)


def requests_of(sandbox: Sandbox) -> dict[str, int]:
    found: dict[str, int] = sandbox.state["requests"]
    return found


def test_twenty_people_come_to_the_ends_they_must(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    sandbox.load(**json.loads((EXAMPLES / "sandbox.json").read_text("utf-8"))["cryptomate"])

    ran = onboard.run(quick, "--clients", EXAMPLES / "clients.csv", "--jobs", 32)

    assert 1 == ran.code, ran.story
    assert {"done": 17, "rejected": 1, "blocked": 2} == ran.totals
    assert ["client_2003", "client_2007"] == sorted(key for key, word in ran.outcomes.items() if word == "blocked")
    shortage = ran.problem("client_2003")["shortage"]
    assert [
        {"kind": "data", "id": "phone"},
        {"kind": "document", "id": "identity_document", "any_of": ["national_id"]},
    ] == shortage
    assert "the picture is blurred" in ran.problem("client_2007")["message"]
    assert "could not confirm the identity" in ran.problem("client_2012")["message"]
    # Its passport was turned down, its identity card was not.
    assert "done" == ran.outcomes["client_2016"]
    assert ran.report["totals"]["requests"] == sandbox.requests
    assert sandbox.state["worst_second"] <= 15
    assert "429" not in sandbox.state["answers"]
    assert 20 == requests_of(sandbox)["clients.create"] == requests_of(sandbox)["products.request"]
    # Nothing was sent for who can't be satisfied.
    assert 18 == requests_of(sandbox)["products.submit"]


def test_a_client_is_parked_and_resumed_when_the_process_is_gone(
    onboard: Onboard, sandbox: Sandbox, quick: Path
) -> None:
    sandbox.load(reviews={"default": "never"})
    clients = rows(onboard, {})

    first = onboard.run(quick, "--clients", clients, "--wait", "0")
    assert 4 == first.code, first.story
    assert {"waiting": 1} == first.totals
    assert "await.pending" == first.problem("client_2001")["code"]
    assert "in_kyc" in first.problem("client_2001")["message"]
    again = onboard("resume", "--wait", "0")
    assert 4 == again.code, again.story
    away = onboard("resume", "--wait", "0", "--base-url", "http://127.0.0.1:1")
    assert 6 == away.code, away.story

    sandbox.act("verdict", {"email": ROWS[0]["email"], "status": "enabled"})
    ran = onboard("resume", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert "done" == ran.outcomes["client_2001"]
    asked = requests_of(sandbox)
    once = ("clients.create", "clients.update", "products.request", "products.document", "products.submit")
    assert dict.fromkeys(once, 1) == {name: asked[name] for name in once}


def test_what_was_missing_is_completed_and_the_run_goes_on(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    bare = {"phone_country_code": "", "phone_number": "", "passport_number": ""}
    ran = onboard.run(quick, "--clients", rows(onboard, bare))
    assert 1 == ran.code, ran.story
    assert "needs field phone" in ran.problem("client_2001")["message"]
    assert "passport lacks its number" in ran.problem("client_2001")["message"]
    assert "onboard resume 1" in ran.out
    assert "products.document" not in requests_of(sandbox)

    rows(onboard, {})
    done = onboard("resume", "--report-json", "report.json")

    assert 0 == done.code, done.story
    assert 1 == requests_of(sandbox)["clients.create"] == requests_of(sandbox)["products.request"]


def test_the_same_file_again_adopts_everybody(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    clients = rows(onboard, {}, {})
    assert 0 == onboard.run(quick, "--clients", clients).code

    ran = onboard.run(quick, "--clients", clients, "--state", "another-laptop")

    assert 0 == ran.code, ran.story
    assert 2 == ran.report["totals"]["adopted"]
    assert 2 == len(sandbox.state["clients"])
    assert {"products.document": 2, "products.submit": 2} == {
        name: requests_of(sandbox)[name] for name in ("products.document", "products.submit")
    }


@pytest.mark.parametrize("operation", ["clients.create", "products.request", "products.document", "products.submit"])
@pytest.mark.parametrize("fault", ["drop-before", "drop-after", "500-before", "500-after", "truncated"])
def test_a_lost_answer_repeats_nothing(
    onboard: Onboard, sandbox: Sandbox, quick: Path, operation: str, fault: str
) -> None:
    sandbox.fault(f"{operation}={fault}:x1")

    ran = onboard.run(quick, "--clients", rows(onboard, {}))

    assert 0 == ran.code, ran.story
    applied = 1 if fault in ("drop-after", "500-after", "truncated") else 2
    assert applied == requests_of(sandbox)[operation]
    assert 1 == len(sandbox.state["clients"])


def test_a_deadline_ends_blocked(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    sandbox.load(reviews={"default": "never"})
    onboard.write("quick.playbook.yaml", quick.read_text("utf-8").replace("deadline: 30d", "deadline: 1s"))

    ran = onboard.run(quick, "--clients", rows(onboard, {}))

    assert 1 == ran.code, ran.story
    assert {"blocked": 1} == ran.totals
    assert "await.deadline" == ran.problem("client_2001")["code"]


def test_a_provider_that_is_away_while_somebody_waits(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    sandbox.load(reviews={"default": {"verdict": "enabled", "delay": 1.0}})
    sandbox.fault("products.list=503-before:skip3:x4")

    ran = onboard.run(quick, "--clients", rows(onboard, {}))

    assert 0 == ran.code, ran.story


def test_the_older_api(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard.run(LEGACY, "--clients", rows(onboard, {}, {}))

    assert 0 == ran.code, ran.story
    again = onboard.run(LEGACY, "--clients", "clients.csv", "--state", "another-laptop")
    assert 0 == again.code, again.story
    assert 2 == again.report["totals"]["adopted"]


def test_what_is_asked_for_in_the_middle_of_the_review_is_supplied_too(
    onboard: Onboard, sandbox: Sandbox, quick: Path
) -> None:
    """Back from in_kyc to pending_documentation: by its own document, by a row completed meanwhile, or blocked."""
    wants_both_sides = {"verdict": "enabled", "after_requested_more": "id-both-sides"}
    again = {"verdict": "enabled", "after_requested_more": "passport-only"}
    emails = [row["email"] for row in ROWS[:2]]
    sandbox.load(reviews={"by_email": {emails[0]: again, emails[1]: wants_both_sides}})
    no_card = {"id_front": "", "id_back": "", "id_number": ""}
    clients = rows(onboard, no_card, no_card)

    ran = onboard.run(quick, "--clients", clients)
    assert 1 == ran.code, ran.story
    assert {"client_2001": "done", "client_2002": "blocked"} == ran.outcomes
    assert "needs national_id, has passport" in ran.problem("client_2002")["message"]

    card = {"id_front": "documents/id_front.png", "id_back": "documents/id_back.png", "id_number": "20000002"}
    rows(onboard, no_card, card)
    done = onboard("resume", "--report-json", "report.json")

    assert 0 == done.code, done.story
    asked = requests_of(sandbox)
    once_each = {"clients.create": 2, "products.request": 2, "products.document": 4, "products.submit": 4}
    assert once_each == {name: asked[name] for name in once_each}


def test_what_a_reviewer_says_of_somebody_is_not_written_down(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    """Words that name the person, in a picture turned down and in a verdict."""
    names = [f"{row['first_name']} {row['last_name']}" for row in ROWS[:2]]
    refused = {"reject_images": {"passport": f"it does not show {names[0]}, {ROWS[0]['email']}"}}
    rejected = {"verdict": "rejected", "rejection_description": f"{names[1]} is on a list"}
    sandbox.load(reviews={"by_email": {ROWS[0]["email"]: refused, ROWS[1]["email"]: rejected}})

    ran = onboard.run(quick, "--clients", rows(onboard, {}, {}), "--report-junit", "report.xml", "-v")

    assert 1 == ran.code, ran.story
    assert 'passport was refused: "it does not show *** ***, ***"' in ran.problem("client_2001")["message"]
    assert '"*** *** is on a list"' in ran.problem("client_2002")["message"]
    told = [onboard(*words) for words in (("status", "-v"), ("explain", "1", "client_2001"))]
    texts = [text.encode() for one in (ran, *told) for text in (one.out, one.err)]
    kept = [path for path in onboard.folder.rglob("*") if path.is_file()]
    texts += [path.read_bytes() for path in kept if path.suffix not in (".csv", ".png", ".jpg")]
    private = [row[name].encode() for row in ROWS[:2] for name in ("first_name", "last_name", "email")]
    assert [] == [value for value in private if any(value in text for text in texts)]


# -- webhooks ------------------------------------------------------------------------------------------------------

SLOW = {"every: 5s": "every: 10m", "at_most: 15m": "at_most: 20m"}


@pytest.fixture
def patient(onboard: Onboard) -> Path:
    """A playbook that would ask again after ten minutes: only a webhook makes it quicker."""
    text = PLAYBOOK.read_text("utf-8")
    for old, new in SLOW.items():
        assert old in text
        text = text.replace(old, new)
    return onboard.write("patient.playbook.yaml", text)


def until(condition: Any, seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def line_of(process: Any, word: str) -> str:
    """The first line of its standard error that has this word."""
    for raw in process.stderr:
        if word in (line := raw.decode()):
            return line.strip()
    raise AssertionError(f"it ended without {word}")


def test_a_webhook_wakes_who_waits(onboard: Onboard, sandbox: Sandbox, patient: Path) -> None:
    sandbox.load(reviews={"default": "never"})
    port = free_port()
    sandbox.load(webhook={"url": f"http://127.0.0.1:{port}/webhooks/cryptomate", "key": key_of(sandbox)})
    words = ("run", patient, "--clients", rows(onboard, {}), "--wait", "60s", "--report-json", "report.json")
    started = onboard.start(*words, "--listen", f"127.0.0.1:{port}")
    until(lambda: requests_of(sandbox).get("products.submit") and requests_of(sandbox)["products.list"] >= 3)
    began = time.monotonic()

    sandbox.act("verdict", {"email": ROWS[0]["email"], "status": "enabled"})
    ran = onboard.finish(started)

    assert 0 == ran.code, ran.story
    assert time.monotonic() - began < 20
    assert "done" == ran.outcomes["client_2001"]


def test_a_rehearsal_is_woken_by_its_own_sandbox(onboard: Onboard, patient: Path) -> None:
    words = ("--kyc-delay", "1s", "--listen", "127.0.0.1:0", "--report-json", "report.json")
    ran = onboard("rehearse", patient, "--clients", rows(onboard, {}), *words)

    assert 0 == ran.code, ran.story
    assert {"done": 1} == ran.totals
    assert ran.seconds < 20


def test_an_inbox_of_its_own_wakes_a_run_on_the_same_state(onboard: Onboard, sandbox: Sandbox, patient: Path) -> None:
    sandbox.load(reviews={"default": "never"})
    inbox = onboard.start("listen", "cryptomate", "--port", 0)
    url = line_of(inbox, "listening").split()[-1]
    sandbox.load(webhook={"url": url, "key": key_of(sandbox)})
    words = ("run", patient, "--clients", rows(onboard, {}), "--wait", "60s", "--report-json", "report.json")
    started = onboard.start(*words)
    until(lambda: requests_of(sandbox).get("products.submit") and requests_of(sandbox)["products.list"] >= 3)

    sandbox.act("verdict", {"email": ROWS[0]["email"], "status": "enabled"})
    ran = onboard.finish(started)
    inbox.send_signal(signal.SIGTERM)
    out, _ = inbox.communicate(timeout=20)

    assert 0 == ran.code, ran.story
    told = [json.loads(line) for line in out.decode().splitlines()]
    assert {("cryptomate", "client_status", True)} == {(one["provider"], one["event"], one["new"]) for one in told}
    assert 0 == inbox.returncode


@pytest.mark.parametrize("fault", ["duplicate", "reorder:0.2"])
def test_events_that_come_twice_or_overtake_each_other_do_no_harm(
    onboard: Onboard, sandbox: Sandbox, patient: Path, fault: str
) -> None:
    sandbox.load(reviews={"default": "never"})
    sandbox.fault(f"webhooks.client_status={fault}")
    port = free_port()
    sandbox.load(webhook={"url": f"http://127.0.0.1:{port}/webhooks/cryptomate", "key": key_of(sandbox)})
    words = ("run", patient, "--clients", rows(onboard, {}, {}), "--wait", "60s", "--report-json", "report.json")
    started = onboard.start(*words, "--listen", f"127.0.0.1:{port}")
    until(lambda: requests_of(sandbox).get("products.submit") == 2 and requests_of(sandbox)["products.list"] >= 6)

    for row, verdict in zip(ROWS, ("rejected", "enabled"), strict=False):
        sandbox.act("verdict", {"email": row["email"], "status": verdict, "description": "no"})
    ran = onboard.finish(started)

    assert 1 == ran.code, ran.story
    assert {"client_2001": "rejected", "client_2002": "done"} == ran.outcomes
    asked = requests_of(sandbox)
    assert [2, 2, 2, 2] == [asked[f"products.{name}"] for name in ("request", "document", "submit")] + [
        asked["clients.create"]
    ]


def test_a_webhook_is_not_believed_only_asked_about(onboard: Onboard, sandbox: Sandbox, patient: Path) -> None:
    """An event of the provider's that is older than what it shows, and one that somebody made up."""
    sandbox.load(reviews={"default": "never"})
    port = free_port()
    words = ("run", patient, "--clients", rows(onboard, {}), "--wait", "60s", "--report-json", "report.json")
    started = onboard.start(*words, "--listen", f"127.0.0.1:{port}")
    until(lambda: requests_of(sandbox).get("products.submit") and requests_of(sandbox)["products.list"] >= 3)
    (client,) = sandbox.state["clients"]
    url = f"http://127.0.0.1:{port}/webhooks/cryptomate"
    good = {"X-Webhook-Key": key_of(sandbox), "X-Request-Timestamp": str(int(time.time() * 1000))}

    def send(key: str, **changes: str) -> int:
        body = {**event(id=client["id"], **changes), "operation_id": client["id"]}
        return httpx.post(url, json=body, headers={**good, "X-Webhook-Key": key}, trust_env=False).status_code

    before = requests_of(sandbox)["products.list"]
    assert 401 == send("somebody else's", status="rejected")
    assert [200, 200] == [send(key_of(sandbox), status="rejected") for _ in range(2)]
    until(lambda: requests_of(sandbox)["products.list"] == before + 1)
    sandbox.act("verdict", {"email": ROWS[0]["email"], "status": "enabled"})
    assert 200 == send(key_of(sandbox))
    ran = onboard.finish(started)

    assert 0 == ran.code, ran.story
    # The forged one, and the repeat of the other, were no reason to ask; at the end the outputs are read.
    assert before + 3 == requests_of(sandbox)["products.list"]
    assert "refused: a webhook for cryptomate: X-Webhook-Key is wrong" in ran.err


def test_the_patience_ends_however_many_are_due(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    """Six are asked for at fifteen a second, and each five times a second if it went by their pauses."""
    sandbox.load(reviews={"default": "never"})
    onboard.write("quick.playbook.yaml", quick.read_text("utf-8").replace("at_most: 15m", "at_most: 200ms"))
    phone = {"phone_country_code": "54", "phone_number": "1100000003"}

    ran = onboard.run(quick, "--clients", rows(onboard, *[phone] * 6), "--wait", "1s")

    assert 4 == ran.code, ran.story
    assert {"waiting": 6} == ran.totals
    assert ran.seconds < 20


def test_explain_tells_who_waits(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    sandbox.load(reviews={"default": "never"})
    assert 4 == onboard.run(quick, "--clients", rows(onboard, {}), "--wait", "0").code

    ran = onboard("explain", "1", "client_2001")

    assert 0 == ran.code, ran.story
    assert "complete: asked for the first time, and waits for the answer that it needs" in ran.out
    assert "ended: waiting" in ran.out


def test_a_better_picture_under_the_same_name_is_sent(onboard: Onboard, sandbox: Sandbox, quick: Path) -> None:
    sandbox.load(reviews={"by_email": {ROWS[1]["email"]: {"reject_images": {"passport": "blurred"}}}})
    clients = rows(onboard, {}, {})
    first = onboard.run(quick, "--clients", clients)
    assert {"done": 1, "blocked": 1} == first.totals, first.story
    assert 'passport was refused: "blurred"' in first.problem("client_2002")["message"]
    again = onboard("resume")
    assert 1 == again.code, again.story
    assert 2 == requests_of(sandbox)["products.document"]

    sandbox.load(reviews={"by_email": {ROWS[1]["email"]: "enabled"}})
    path = onboard.folder / "documents" / "passport.jpg"
    path.write_bytes(path.read_bytes() + b"sharper")
    ran = onboard("resume", "--report-json", "report.json")

    assert 0 == ran.code, ran.story
    assert 3 == requests_of(sandbox)["products.document"]


def event(**changes: Any) -> dict[str, Any]:
    data = {"id": "c1", "status": "active", "updated_at": "2026-04-15T10:30:00Z"}
    return {
        "product": "company_activity",
        "event_type": "client_status",
        "operation_id": "c1",
        "status": "success",
        "data": data | changes,
    }


def test_what_is_forged_old_or_doubled(onboard: Onboard, sandbox: Sandbox) -> None:
    inbox = onboard.start("listen", "cryptomate", "--port", 0)
    url = line_of(inbox, "listening").split()[-1]
    now = str(int(time.time() * 1000))
    good = {"X-Webhook-Key": key_of(sandbox), "X-Request-Timestamp": now}

    def send(body: Any, **headers: str) -> httpx.Response:
        return httpx.post(url, json=body, headers={**good, **headers}, trust_env=False)

    first, twice, later = send(event()), send(event()), send(event(status="rejected"))
    forged = send(event(), **{"X-Webhook-Key": "somebody else's"})
    old = send(event(), **{"X-Request-Timestamp": "1600000000000"})
    nonsense = httpx.post(url, content=b"{", headers=good, trust_env=False)
    elsewhere = httpx.post(url.replace("cryptomate", "nobody"), json=event(), headers=good, trust_env=False)
    inbox.send_signal(signal.SIGTERM)
    out, err = inbox.communicate(timeout=20)

    assert [200, 200, 200] == [answer.status_code for answer in (first, twice, later)]
    assert {"response_code": "OK"} == first.json() == twice.json()
    assert [401, 400, 400, 404] == [answer.status_code for answer in (forged, old, nonsense, elsewhere)]
    # The same client's later change is another event.
    assert [True, False, True] == [json.loads(line)["new"] for line in out.decode().splitlines()]
    assert "X-Webhook-Key is wrong" in err.decode()
    assert key_of(sandbox) not in out.decode() + err.decode()


def test_listening_needs_the_key(onboard: Onboard, sandbox: Sandbox) -> None:
    ran = onboard("listen", "cryptomate", env={"CRYPTOMATE_WEBHOOK_KEY": ""})

    assert 2 == ran.code, ran.story
    assert "CRYPTOMATE_WEBHOOK_KEY" in ran.err


def key_of(sandbox: Sandbox) -> str:
    return sandbox.env["CRYPTOMATE_WEBHOOK_KEY"]


def free_port() -> int:
    import socket

    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
