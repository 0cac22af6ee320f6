"""The report for people: what happened, to whom, and what to do next."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import TextIO

from runner.drawing import clean, draw
from runner.duration import in_words
from runner.model.outcome import ClientResult, Ending
from runner.model.run import RunResult

# So many clients are told one by one; the report file has them all.
TOLD = 20


async def write(
    result: RunResult, clients: AsyncIterator[ClientResult], out: TextIO, *, everybody: bool = False
) -> None:
    """Those who did not end well, or `everybody`, then the summary."""
    told = untold = 0
    async for client in clients:
        if client.outcome is Ending.DONE:
            if everybody:
                out.write(f"{clean(client.key)} (line {client.line}): done{', adopted' if client.adopted else ''}\n")
            continue
        if told == TOLD and not everybody:
            untold += 1
            continue
        told += 1
        out.write(f"{clean(client.key)} (line {client.line}): {client.outcome.value}\n")
        if client.problem:
            out.write(_indented(draw(client.problem)) + "\n")
        out.write("\n")
    if untold:
        out.write(f"… and {untold:,} more; --report-json has everyone\n\n")
    out.write("\n".join(summary(result)) + "\n")


def summary(result: RunResult) -> list[str]:
    """The last lines on the screen: counts, money, time, and the command that comes next."""
    totals, head = result.totals, result.head
    counts = ", ".join(
        f"{count:,} {ending.value.replace('_', ' ')}" for ending, count in totals.endings.items() if count
    )
    adopted = f" ({totals.adopted:,} adopted)" if totals.adopted else ""
    took = in_words((head.finished_at or head.started_at) - head.started_at)
    lines = [f"run {head.id}: {counts or 'no clients'}{adopted} - {totals.requests:,} requests in {took}"]
    for asset, kinds in sorted(totals.money.items()):
        moved = ", ".join(f"{kind} {amount:f}" for kind, amount in kinds.items() if amount)
        lines.append(f"moved {asset}: {moved or 'nothing'}")
    if hint := next_step(result):
        lines.append(hint)
    return lines


def next_step(result: RunResult) -> str:
    run = result.head.id
    if result.status == "running":
        return f"run {run} is under way"
    if result.exit_code == 1 and not _refused(result):
        return f'next: "onboard resume {run}" goes on with those who were not started'
    if result.exit_code == 1 and not result.totals.endings[Ending.REJECTED]:
        return f'next: complete what is missing, then "onboard resume {run}"; "onboard status {run}" lists it'
    return {
        1: f'next: correct what was refused, then "onboard retry {run}"; "onboard status {run}" lists it',
        3: f'next: look at the guard that stopped it, then "onboard resume {run}"',
        4: f'next: "onboard resume {run}" later',
        5: f'next: "onboard recover {run}" settles what is unknown; nothing is sent again before that',
        6: f'next: "onboard doctor" finds out why the provider is out of reach, then "onboard resume {run}"',
        130: f'next: "onboard resume {run}" goes on from here',
    }.get(result.exit_code, "")


def _refused(result: RunResult) -> int:
    return result.totals.endings[Ending.REJECTED] + result.totals.endings[Ending.BLOCKED]


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.splitlines())
