import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import psutil
import pytest

from dapr_local.errors import PartDied, PartNotReady
from dapr_local.supervise.process import Account, Process
from tests.unit.dapr_local.scripts import FOREVER, has_said, runs, script, until

# A child in the same group, and one that has left it for its own session, as PostgreSQL's do.
FAMILY = """
import subprocess, sys, time
sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
print(subprocess.Popen(sleeper).pid, subprocess.Popen(sleeper, start_new_session=True).pid, flush=True)
time.sleep(600)
"""
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"


async def never() -> bool:
    return False


async def at_once() -> bool:
    return True


@pytest.fixture
async def started() -> AsyncIterator[list[Process]]:
    """Processes that are ended after the test, whatever it did."""
    processes: list[Process] = []
    yield processes
    for process in processes:
        await process.stop(0)


async def _start(process: Process, started: list[Process]) -> Process:
    started.append(process)
    await process.start()
    return process


async def test_it_is_ready_when_the_check_says_so(tmp_path: Path, started: list[Process]) -> None:
    process = await _start(script(tmp_path, FOREVER), started)
    answers = iter([False, False, True])

    async def third_time() -> bool:
        return next(answers)

    await process.wait_ready(third_time, deadline=10)

    assert next(answers, None) is None
    assert process.running
    assert runs(process.pid)


async def test_a_death_before_it_is_ready_fails_at_once_with_the_last_lines(
    tmp_path: Path, started: list[Process]
) -> None:
    code = "for n in range(1, 21): print('line', n)\nraise SystemExit(3)"
    process = await _start(script(tmp_path, code, "valkey"), started)
    began = time.monotonic()

    with pytest.raises(PartDied) as caught:
        await process.wait_ready(never, deadline=60)

    assert time.monotonic() - began < 30
    assert caught.value.name == "valkey"
    first, *lines = str(caught.value).splitlines()
    assert first == f"valkey exited with code 3; the end of {process.log}:"
    assert [line.strip() for line in lines] == [f"line {n}" for n in range(6, 21)]


async def test_one_that_never_gets_ready_is_told_with_its_log(tmp_path: Path, started: list[Process]) -> None:
    process = await _start(script(tmp_path, FOREVER, "zipkin"), started)
    await until(has_said(process, "up"))

    with pytest.raises(PartNotReady, match=r"^zipkin is not ready after 0\.05 s; the end of (?s:.*)\n  up$"):
        await process.wait_ready(never, deadline=0.05)

    assert process.running


async def test_the_lines_of_an_earlier_run_are_not_shown(tmp_path: Path, started: list[Process]) -> None:
    await script(tmp_path, "print('first run')").run()
    process = await _start(script(tmp_path, "raise SystemExit('second run')"), started)
    await process.wait()

    assert "first run" in process.log.read_text()
    assert process.tail() == ["second run"]


async def test_a_program_that_is_not_there(tmp_path: Path) -> None:
    process = Process("daprd", [tmp_path / "nothing"], tmp_path / "log")

    with pytest.raises(
        PartDied, match=r"^daprd exited with code 127;(?s:.*)nothing cannot be executed: No such"
    ):
        await process.run()


async def test_run_waits_for_the_good_end(tmp_path: Path) -> None:
    process = script(tmp_path, "print('done')")

    await process.run()

    assert not process.running
    assert process.tail() == ["done"]


async def test_run_ends_the_process_when_it_is_cancelled(tmp_path: Path) -> None:
    process = script(tmp_path, FOREVER)
    running = asyncio.create_task(process.run())
    await until(lambda: process.log.exists() and has_said(process, "up")())

    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert not runs(process.pid)


async def test_stop_asks_with_the_stop_signal(tmp_path: Path, started: list[Process]) -> None:
    code = f"try:\n {FOREVER}\nexcept KeyboardInterrupt:\n print('asked')"
    process = await _start(script(tmp_path, code, stop_signal=signal.SIGINT), started)
    await until(has_said(process, "up"))

    await process.stop(deadline=30)

    assert await process.wait() == 0
    assert process.tail() == ["up", "asked"]


async def test_stop_kills_what_does_not_listen(tmp_path: Path, started: list[Process]) -> None:
    process = await _start(script(tmp_path, STUBBORN + FOREVER), started)
    await until(has_said(process, "up"))

    await process.stop(deadline=0.1)

    assert await process.wait() == -signal.SIGKILL
    assert str(process.death()).startswith("part was killed by SIGKILL; ")


async def test_stop_leaves_no_child_in_its_group(tmp_path: Path, started: list[Process]) -> None:
    process = await _start(script(tmp_path, FAMILY.replace("time.sleep(600)\n", "\n", 1)), started)
    await until(lambda: process.tail())
    child, stranger = map(int, process.tail()[0].split())
    try:
        await process.stop(deadline=30)
        await until(lambda: not runs(child))
    finally:
        if runs(stranger):
            os.kill(stranger, signal.SIGKILL)


async def test_kill_reaches_all_descendants(tmp_path: Path, started: list[Process]) -> None:
    process = await _start(script(tmp_path, FAMILY), started)
    await until(lambda: process.tail())
    family = [int(pid) for pid in process.tail()[0].split()]
    assert all(map(runs, family))

    process.kill()

    await until(lambda: not any(map(runs, [process.pid, *family])))


async def test_it_does_not_hear_the_terminal(tmp_path: Path, started: list[Process]) -> None:
    process = await _start(script(tmp_path, FOREVER), started)
    assert process.pid is not None

    assert os.getsid(process.pid) == process.pid != os.getsid(0)


async def test_it_gets_the_clean_environment_and_its_own_variables(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/bin")
    monkeypatch.setenv("FOREIGN", "value")
    names = "'KEY', 'PATH', 'FOREIGN'"
    code = f"import os; print(*(os.environ.get(name) for name in ({names})))"
    process = script(tmp_path, code, env={"KEY": "value"})

    await process.run()

    assert process.tail() == ["value /bin None"]


async def test_it_does_not_run_in_the_working_directory_of_the_runner(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    process = script(tmp_path, "import os; print(os.getcwd())")

    await process.run()

    assert process.tail() == ["/"]


@pytest.fixture
def member_of_many_groups() -> Iterator[None]:
    before = os.getgroups()
    os.setgroups([1, 2, 3])
    yield
    os.setgroups(before)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can step down")
@pytest.mark.usefixtures("member_of_many_groups")
async def test_it_steps_down_to_the_account(tmp_path: Path) -> None:
    whoami = ["/bin/sh", "-c", "id -u; id -g; id -G"]
    process = Process("part", whoami, tmp_path / "log", account=Account(uid=12345, gid=54321))

    await process.run()

    assert process.tail() == ["12345", "54321", "54321"]


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process that its parent has died")
@pytest.mark.parametrize("account", [None, Account(12345, 54321)], ids=["own account", "other account"])
async def test_it_does_not_survive_a_killed_runner(tmp_path: Path, account: Account | None) -> None:
    if account and os.geteuid() != 0:
        pytest.skip("only root can step down")
    runner_code = f"""
import asyncio
from pathlib import Path
from dapr_local.supervise.process import Account, Process
async def main():
    process = Process("part", ["/bin/sleep", "600"], Path({str(tmp_path / "log")!r}), account={account!r})
    await process.start()
    print(process.pid, flush=True)
    await process.wait()
asyncio.run(main())
"""
    runner = await asyncio.create_subprocess_exec(
        sys.executable, "-c", runner_code, stdout=asyncio.subprocess.PIPE
    )
    assert runner.stdout is not None
    pid = int(await runner.stdout.readline())
    # Once the program is there, what binds it to the runner has been done.
    await until(lambda: psutil.Process(pid).name() == "sleep")
    runner.kill()
    await runner.wait()

    await until(lambda: not runs(pid))
