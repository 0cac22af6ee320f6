"""Ten thousand clients wait for verdicts at once: how often they are asked for, how fairly, and what they weigh."""

from __future__ import annotations

import tracemalloc
from collections import Counter, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

import anyio
import pytest
from stand_ins import VIRTUAL, VirtualClock, answer, performer_of, person, setting_of, step

from runner.advance import ClientRun
from runner.checks import parse
from runner.drivers.local import Halt, Pace, drive
from runner.journal.memory import MemoryJournal
from runner.limiter import Limiter
from runner.load.pack import find_pack
from runner.model.http import NoAnswer, Request, Response
from runner.model.outcome import ClientResult, Ending
from runner.model.playbook import Waiting
from runner.redact import Redactor

pytestmark = pytest.mark.anyio

CLIENTS = 10_000
RATE = 15.0
EVERY, AT_MOST, DEADLINE = 30.0, 900.0, 86_400.0
VERDICT = 1800.0
PACK = find_pack("cryptomate")

AWAITED = replace(
    step("verdict", "products.list", {"clientId": "{{ client.id }}"}),
    waiting=Waiting((parse("[0].status == enabled"),), DEADLINE, every=EVERY, at_most=AT_MOST),
)


@pytest.fixture
def anyio_backend() -> tuple[str, dict[str, object]]:
    return VIRTUAL


@dataclass
class Office:
    """Everybody is in review until half an hour has passed."""

    clock: VirtualClock
    asked: Counter[str] = field(default_factory=Counter)
    first: dict[str, float] = field(default_factory=dict)
    last: dict[str, float] = field(default_factory=dict)
    longest: float = 0.0
    busiest: int = 0
    recent: deque[float] = field(default_factory=deque)

    async def send(
        self, request: Request, headers: Mapping[str, str], *, leave: Callable[[], NoAnswer | None] | None = None
    ) -> Response:
        now = self.clock.monotonic()
        who = request.path.split("/")[4]
        self.asked[who] += 1
        self.longest = max(self.longest, now - self.last.get(who, now))
        self.first.setdefault(who, now)
        self.last[who] = now
        self.recent.append(now)
        while self.recent[0] <= now - 1:
            self.recent.popleft()
        self.busiest = max(self.busiest, len(self.recent))
        state = "enabled" if now >= VERDICT else "in_kyc"
        await anyio.lowlevel.checkpoint()
        return answer(200, [{"id": "p", "product": "cards_individuals", "status": state}])


async def wait_for_the_verdict(clients: int) -> tuple[Office, Counter[Ending]]:
    clock = VirtualClock()
    office = Office(clock)
    setting = setting_of(AWAITED, provider=PACK)
    performer = performer_of(PACK, office, clock, limiter=Limiter(clock, RATE))
    journal, endings = MemoryJournal(), Counter[Ending]()

    async def settled(run: ClientRun, result: ClientResult, due: float | None) -> None:
        endings[result.outcome] += 1

    runs = [
        ClientRun(1, setting, person(number), journal, performer, clock, Redactor([]), is_fresh=True)
        for number in range(clients)
    ]
    await drive(runs, Pace(jobs=8, wait=DEADLINE), clock, Halt(), settled)
    return office, endings


async def test_ten_thousand_are_asked_for_as_often_as_the_limit_allows_and_in_turns() -> None:
    office, endings = await wait_for_the_verdict(CLIENTS)

    round_of_all = CLIENTS / RATE
    assert {Ending.DONE: CLIENTS} == endings
    assert office.busiest <= RATE
    # 15 a second for as long as it took, and hardly a poll was left unused.
    polls, seconds = sum(office.asked.values()), office.clock.monotonic()
    assert 0.9 * RATE * seconds / 1.05 <= polls <= RATE * seconds + RATE
    # Those who wait and those who have not begun take turns: everybody has begun after two rounds ...
    assert max(office.first.values()) <= 2.2 * round_of_all
    # ... and nobody is forgotten for longer than his own longest pause and two more.
    assert office.longest <= AT_MOST * 1.25 + 2.2 * round_of_all
    assert seconds <= VERDICT + AT_MOST * 1.25 + 2.2 * round_of_all


async def test_a_client_that_waits_weighs_little() -> None:
    tracemalloc.start()
    try:
        await wait_for_the_verdict(50)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        await wait_for_the_verdict(1050)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert (peak - before) / 1050 < 6_000
