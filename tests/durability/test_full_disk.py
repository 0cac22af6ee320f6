"""A disk that takes no more: nothing is sent that is not written down, a person is told what to do, resume goes on.

Real runs on a disk that says no from the n-th write on, for every n there is (disk.py); then journals that are
read-only, damaged, busy or no journals, and reports that can't be written.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from disk import PLAYBOOK, POWER_CUT, Machine, Orders, Sends, read_tape, send_of
from stage import Onboard, Sandbox, checked_report
from test_power_loss import COMMON, EMPTY, RUN, Book, Cut, broken, clients_in, faults, read

AT_ONCE = 4


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    started = Machine()
    yield started
    started.stop()


@pytest.fixture(scope="module")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    sandbox = Sandbox(tmp_path_factory.mktemp("provider"), measured=False)
    yield sandbox
    sandbox.stop()


@pytest.fixture
def sandbox(shared_sandbox: Sandbox) -> Sandbox:
    shared_sandbox.reset()
    return shared_sandbox


def said(folder: Path) -> str:
    """All of its words that could be written anywhere."""
    return "".join(path.read_text("utf-8") for path in (folder / "out.txt", folder / "err.txt") if path.exists())


def book_of(folder: Path) -> Book:
    """What the journal holds, looked at in a copy, because looking tidies up."""
    copy = folder / "copy"
    shutil.rmtree(copy, ignore_errors=True)
    if not (folder / ".onboard" / "journal.db").exists():
        return EMPTY
    shutil.copytree(folder / ".onboard", copy)
    return read(copy)


def lives(
    machine: Machine, sandbox: Sandbox, folder: Path, orders: Sequence[Orders], careless: str = ""
) -> tuple[list[int], list[str]]:
    """One process for each of these disks, then one with space again. Returns exit codes, and what was wrong."""
    codes: list[int] = []
    wrong: list[str] = []
    book = EMPTY
    for one in (*orders, Orders()):
        words = ("resume",) if book.runs else RUN
        codes.append(machine(folder, sandbox.env, *words, *COMMON, orders=one, careless=careless))
        book = book_of(folder)
        sent = Sends(send for event in read_tape(folder / "tape") if (send := send_of(event)))
        wrong += [f"{one}: {what}" for what in faults(book, sent, EMPTY)]
        if codes[-1] not in (0, 3, POWER_CUT) or "Traceback" in said(folder):
            wrong.append(f"{one}: exit {codes[-1]}: {said(folder)}")
        if codes[-1] == 3:
            told = ("[journal.unwritable]", "free space", '"onboard resume"')
            wrong += [f"{one}: {word} is not in {said(folder)}" for word in told if word not in said(folder)]
    return codes, wrong


def sweep(
    machine: Machine, sandbox: Sandbox, home: Path, cells: Sequence[Sequence[Orders]], careless: str = ""
) -> tuple[list[str], list[int]]:
    """Every cell with a client of its own. Returns what was wrong, and how each last process on a bad disk ended."""

    def one(number: int) -> tuple[Cut, Path, list[int], list[str]]:
        folder = clients_in(home / f"cell-{number}", number)
        codes, wrong = lives(machine, sandbox, folder, cells[number - 1], careless)
        return Cut(number, (), 0), folder, codes, wrong

    with ThreadPoolExecutor(AT_ONCE) as pool:
        lived = list(pool.map(one, range(1, len(cells) + 1)))
    state = sandbox.state
    wrong = [line for *_, told in lived for line in told]
    wrong += [line for cut, folder, codes, _ in lived for line in broken(cut, folder, codes, state)]
    return wrong, [codes[-2] for _, _, codes, _ in lived]


def recorded(machine: Machine, sandbox: Sandbox, home: Path) -> list[Any]:
    folder = clients_in(home / "recorded", 1)
    assert 0 == machine(folder, sandbox.env, *RUN, *COMMON)
    sandbox.reset()
    return read_tape(folder / "tape")


def test_the_disk_is_full_from_any_write_on(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    count = sum(event.kind == "write" for event in recorded(machine, sandbox, tmp_path))

    wrong, codes = sweep(machine, sandbox, tmp_path, [[Orders(full_from=n)] for n in (*range(1, count), 10 * count)])

    assert [] == wrong
    assert {3} == set(codes[:60])
    # What is written last is only tidying up.
    assert [0, 0] == codes[-2:]


def test_the_disk_does_not_grow(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    """What is written in place still fits, as on a real full disk."""
    wrong, codes = sweep(machine, sandbox, tmp_path, [[Orders(room=room)] for room in range(1, 300_000, 20_000)])

    assert [] == wrong
    assert {3} == set(codes[:6])
    assert 0 == codes[-1]


def test_the_disk_does_not_sync(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    count = sum(event.kind == "sync" for event in recorded(machine, sandbox, tmp_path))

    wrong, codes = sweep(machine, sandbox, tmp_path, [[Orders(sync_fails_from=n)] for n in range(1, count + 1)])

    assert [] == wrong
    assert {3} == set(codes[:20])


def test_the_disk_is_still_full_when_a_run_is_resumed(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    """The power fails with a payment on the wire; then resume itself finds no space, at any write."""
    tape = recorded(machine, sandbox, tmp_path)
    (paid,) = [n for n, event in enumerate(tape, 1) if event.kind == "leave" and event.name.endswith("/deposits")]
    cells = [[Orders(cut_at=paid + 1), Orders(full_from=number)] for number in range(1, 50, 3)]

    wrong, codes = sweep(machine, sandbox, tmp_path, cells)

    assert [] == wrong
    assert {0, 3} == set(codes)


def undaunted() -> None:
    """A careless runner: what can't be written down is sent all the same."""
    from runner.journal.sqlite import SqliteJournal
    from runner.model.problem import JournalError

    begin = SqliteJournal.begin

    async def begun(*words: Any, **more: Any) -> bool:
        try:
            return await begin(*words, **more)
        except JournalError:
            return True

    SqliteJournal.begin = begun  # type: ignore[method-assign]


def test_a_careless_runner_is_caught(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    cells = [[Orders(full_from=number)] for number in range(20, 80, 10)]

    wrong, _ = sweep(machine, sandbox, tmp_path, cells, f"{__name__}.undaunted")

    assert any("no intent of" in line for line in wrong), wrong


def test_many_at_once_on_a_full_disk(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    """Requests are in flight when the disk says no: they are brought to their ends, and resume finds what they did."""
    folder = clients_in(tmp_path / "work", 1, 2, 3, 4)

    codes, wrong = lives(machine, sandbox, folder, [Orders(full_from=70)])

    assert [3, 0] == codes, said(folder)
    assert [] == wrong
    everybody = {f"user_{number}" for number in range(1, 5)}
    assert {(key, "USD"): Decimal(75) for key in everybody} == {
        place: moved["balance"] for place, moved in sandbox.ledger.items()
    }
    assert everybody == {document["partner_client_id"] for document in sandbox.documents}
    report = checked_report(json.loads((folder / "report.json").read_text("utf-8")))
    assert {"deposits": "400.00", "withdrawals": "100.00", "payouts": "0.00"} == report["totals"]["money"]["USD"]


# -- journals that are none ------------------------------------------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that another user may enter, unlike those of tmp_path."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.mark.parametrize(("folder_mode", "file_mode"), [(0o777, 0o444), (0o555, 0o444), (0o555, 0), (0, 0)])
@pytest.mark.parametrize("verb", ["run", "resume", "status"])
def test_a_journal_of_somebody_else(
    machine: Machine, sandbox: Sandbox, open_folder: Path, verb: str, folder_mode: int, file_mode: int
) -> None:
    folder = clients_in(open_folder / "work", 1)
    machine(folder, sandbox.env, *RUN, *COMMON)
    before = sandbox.requests
    for path in (folder / ".onboard").iterdir():
        path.chmod(file_mode)
    (folder / ".onboard").chmod(folder_mode)

    words = {"run": (*RUN, "--provider-file", "pack.yaml", "--batch", "again")}.get(verb, (verb,))
    code = machine(folder, sandbox.env, *words, as_nobody=True)

    (folder / ".onboard").chmod(0o700)
    assert before == sandbox.requests
    if verb == "status" and file_mode:
        # Reading takes no more than that.
        assert 0 == code, said(folder)
        return
    assert code in (2, 3), said(folder)
    assert any(word in said(folder) for word in ("permission denied", "readonly", "is not readable"))


def is_a_folder(journal: Path) -> None:
    journal.unlink()
    journal.mkdir()


def is_a_text(journal: Path) -> None:
    journal.write_bytes(b"not a database, but long enough to look like a file of one\n" * 100)


def is_cut_to_half(journal: Path) -> None:
    content = journal.read_bytes()
    journal.write_bytes(content[: len(content) // 2])


def has_a_head_only(journal: Path) -> None:
    journal.write_bytes(journal.read_bytes()[:100])


def has_a_hole(journal: Path) -> None:
    content = journal.read_bytes()
    journal.write_bytes(content[:4096] + b"\xa5" * (len(content) - 8192) + content[-4096:])


VERBS: list[tuple[object, ...]] = [(verb,) for verb in ("resume", "retry", "recover", "reconcile", "status", "runs")]
VERBS += [("explain", "1", "user_1"), (*RUN, "--provider-file", "pack.yaml", "--batch", "again")]


@pytest.mark.parametrize("spoil", [is_a_folder, is_a_text, is_cut_to_half, has_a_head_only, has_a_hole])
def test_a_damaged_journal_is_told_and_nothing_is_sent(
    machine: Machine, sandbox: Sandbox, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    folder = clients_in(tmp_path / "work", 1)
    machine(folder, sandbox.env, *RUN, *COMMON)
    before = sandbox.requests
    spoil(folder / ".onboard" / "journal.db")

    ended = {str(words[0]): (machine(folder, sandbox.env, *words), said(folder)) for words in VERBS}

    assert {} == {verb: told for verb, (code, told) in ended.items() if code != 3 or "[journal.un" not in told}
    assert before == sandbox.requests


def test_a_damaged_page_is_never_our_bug(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    """Each page in turn: what can still be read is told, what can't be is told too, nothing is sent on hearsay."""
    folder = clients_in(tmp_path / "work", 1)
    machine(folder, sandbox.env, *RUN, *COMMON)
    journal = folder / ".onboard" / "journal.db"
    content, before = journal.read_bytes(), sandbox.requests
    ended = {}
    for page in range(1, len(content) // 4096):
        for words in (("resume",), ("status",), ("explain", "1", "user_1"), ("forget", "user_1")):
            journal.write_bytes(content[: page * 4096] + b"\xa5" * 4096 + content[(page + 1) * 4096 :])
            ended[page, words[0]] = machine(folder, sandbox.env, *words), said(folder)

    assert {} == {at: told for at, (code, told) in ended.items() if code not in (0, 3)}
    assert {} == {at: told for at, (code, told) in ended.items() if code == 3 and "[journal.unwritable]" not in told}
    assert before == sandbox.requests
    assert len(content) // 4096 < sum(code == 3 for code, _ in ended.values())
    assert [] == [told for code, told in ended.values() if code == 3 and '"steps"' in told], "a line about people"


def test_who_holds_the_journal_for_a_moment_only_delays(machine: Machine, sandbox: Sandbox, tmp_path: Path) -> None:
    """A backup, or a person with a SQLite shell: the run waits for them, and says so when they never end."""
    folder = clients_in(tmp_path / "work", 1)
    machine(folder, sandbox.env, *RUN, *COMMON)
    book = sqlite3.connect(folder / ".onboard" / "journal.db", isolation_level=None, check_same_thread=False)
    book.execute("begin immediate")
    again = (*RUN, *COMMON, "--batch", "again")

    assert 3 == machine(folder, sandbox.env, *again, pragmas=["busy_timeout=100"])
    assert "database is locked" in said(folder)
    assert 1 == sandbox.asked("deposits.create")

    timer = threading.Timer(0.5, book.execute, ["commit"])
    timer.start()
    code = machine(folder, sandbox.env, *again)
    timer.join()
    book.close()
    assert (0, 2) == (code, sandbox.asked("deposits.create")), said(folder)


# -- reports that can't be written -----------------------------------------------------------------------------------


@pytest.fixture
def full() -> Iterator[str]:
    """The device that is always full; it belongs to everybody."""
    before = stat.S_IMODE(Path("/dev/full").stat().st_mode)
    yield "/dev/full"
    after = stat.S_IMODE(Path("/dev/full").stat().st_mode)
    Path("/dev/full").chmod(before)
    assert before == after


@pytest.mark.parametrize("option", ["--report-json", "--report-junit"])
def test_a_report_on_a_full_disk_is_told_and_the_outcome_stands(
    machine: Machine, sandbox: Sandbox, tmp_path: Path, full: str, option: str
) -> None:
    folder = clients_in(tmp_path / "work", 1)

    code = machine(folder, sandbox.env, *RUN, "--provider-file", "pack.yaml", option, full)

    assert 0 == code, said(folder)
    assert "1 done" in (folder / "out.txt").read_text()
    assert f'"{full}" can\'t be written: no space left on device' in said(folder)
    assert "[report.unwritable]" in said(folder)
    assert '"onboard status' in said(folder)
    assert 0 == machine(folder, sandbox.env, "status", "1", "--format", "json")
    assert "done" == json.loads((folder / "out.txt").read_text())["clients"][0]["outcome"]


@pytest.mark.parametrize("streams", [{"out.txt": "/dev/full"}, {"err.txt": "/dev/full"}])
@pytest.mark.parametrize("ending", ["done", "rejected", "unwritable"])
def test_who_can_not_be_told_gets_the_exit_code(
    machine: Machine, sandbox: Sandbox, tmp_path: Path, full: str, streams: dict[str, str], ending: str
) -> None:
    """`onboard run … > run.log` on the disk that is full: the code must not say more or less than what happened."""
    folder = clients_in(tmp_path / "work", 1)
    if ending == "rejected":
        sandbox.fault("deposits.create=rejected:x1")
    orders = Orders(full_from=40) if ending == "unwritable" else None

    code = machine(folder, sandbox.env, *RUN, "--provider-file", "pack.yaml", orders=orders, **streams)

    assert {"done": 0, "rejected": 1, "unwritable": 3}[ending] == code, said(folder)
    if "out.txt" in streams and ending != "unwritable":
        assert "standard output can't be written: no space left on device" in said(folder)


def test_who_stops_reading_does_not_change_the_exit_code(sandbox: Sandbox, tmp_path: Path) -> None:
    folder = clients_in(tmp_path / "work", 1)
    sandbox.fault("deposits.create=rejected:x1")

    with Onboard(folder, dict(sandbox.env)).start(*RUN, "--provider-file", "pack.yaml") as process:
        assert process.stdout is not None
        process.stdout.close()

    assert 1 == process.returncode


def test_rejects_on_a_full_disk_are_told_before_anything_is_sent(
    machine: Machine, sandbox: Sandbox, tmp_path: Path, full: str
) -> None:
    folder = clients_in(tmp_path / "work", 1)
    (folder / "clients.csv").write_text((folder / "clients.csv").read_text() + "user_2,x\n")

    code = machine(folder, sandbox.env, *RUN, "--provider-file", "pack.yaml", "--skip-invalid", "--rejects", full)

    assert 2 == code, said(folder)
    assert "[report.unwritable]" in said(folder)
    assert 0 == sandbox.requests


def test_clients_of_standard_input_are_kept_or_nothing_is_sent(
    machine: Machine, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Without the copy nobody could resume."""
    folder = clients_in(tmp_path / "work", 1)
    copies = folder / ".onboard"
    words = ("run", PLAYBOOK, "--clients", "-", "--documents", ".", "--provider-file", "pack.yaml")
    machine(folder, sandbox.env, *words, **{"in.txt": "clients.csv"})
    (copy,) = copies.glob("stdin-*")
    kept, before = copy.read_text(), sandbox.requests
    copy.with_name(f"{copy.name}.new").symlink_to("/dev/full")

    code = machine(folder, sandbox.env, *words, "--batch", "again", **{"in.txt": "clients.csv"})

    assert 2 == code, said(folder)
    assert "[state.unusable]" in said(folder)
    assert "no space left on device" in said(folder)
    assert before == sandbox.requests
    assert kept == copy.read_text()
