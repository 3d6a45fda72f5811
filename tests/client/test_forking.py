"""A client that is there before a process forks: servers that preload, task queues, pools of processes."""

import subprocess
import sys
import textwrap
from collections import Counter
from pathlib import Path

import pytest

from tests.client.conftest import Make
from tests.client.palate import KEY, PROBLEM, Handler, Palate, until

ROOT = Path(__file__).parents[2]
BEGIN = """
    import atexit, multiprocessing, os, signal, sys, threading
    from client.palate_client import PalateClient, PalateError

    def waited(pid):
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    def until(look):
        while not look():
            threading.Event().wait(0.01)

    client = PalateClient(sys.argv[1], sys.argv[2], timeout=20.0, ttl=0.0)
    signal.alarm(100)  # so that what hangs ends, and says so by its exit code
"""
forks = pytest.mark.skipif(sys.platform == "win32", reason="nothing forks on Windows")


def told(palate: Palate, script: str) -> list[str]:
    """Run a script that has a client, and return the lines that it and its children print."""
    call = [sys.executable, "-c", textwrap.dedent(BEGIN) + textwrap.dedent(script), palate.url, KEY]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return sorted(done.stdout.splitlines())


def hanging(at: Handler) -> None:
    """Leave reports of v0.0.1 without an answer, so that the client goes on holding what it sends them with."""
    if at.command == "POST" and at.palate.reports[-1]["version"] == "v0.0.1":
        at.palate.over.wait(60)
    at.answer(200, b"{}")


@forks
def test_a_child_that_is_forked_while_a_report_is_sent_tells_its_own(palate: Palate) -> None:
    palate.fault = hanging
    script = """
    client.report("v0.0.1", score=1)
    until(lambda: client._sending.locked())
    atexit.register(client.flush)
    child = os.fork()
    if not child:
        signal.alarm(50)
        begun = client.status()["waiting"]
        client.report("v2.0.0", score=2)
        print(f"child: {begun} at first, {client.flush(timeout=40)} left", flush=True)
        sys.exit()
    print("child ended with", waited(child), flush=True)
    os._exit(0)
    """
    assert told(palate, script) == ["child ended with 0", "child: 0 at first, 0 left"]
    assert "v2.0.0" in [report["version"] for report in palate.reports]


@forks
def test_a_child_tells_nothing_that_its_parent_tells(palate: Palate) -> None:
    palate.fault = lambda at: at.answer(503 if palate.reports[-1]["score"] == 1 else 200, b"{}", PROBLEM)
    script = """
    ids = [client.report("v1.0.0", score=1) for _ in range(3)]
    client.flush()
    child = os.fork()
    if not child:
        signal.alarm(50)
        client.report("v1.0.0", score=2)
        until(lambda: client.status()["waiting"] == 0)
        os._exit(0)
    print(waited(child), client.status()["waiting"], client.flush(timeout=40))
    """
    assert told(palate, script) == ["0 3 3"]
    assert Counter(report["score"] for report in palate.reports)[2] == 1


@forks
def test_a_parent_goes_on_telling_what_it_had(palate: Palate) -> None:
    script = """
    for _ in range(50):
        client.report("v1.0.0", score=1)
    children = []
    for _ in range(4):
        children.append(os.fork())
        if not children[-1]:
            signal.alarm(50)
            client.report("v1.0.0", score=2)
            os._exit(client.flush(timeout=40))
    print(*map(waited, children), client.flush(timeout=30))
    """
    assert told(palate, script) == ["0 0 0 0 0"]
    assert Counter(report["score"] for report in palate.reports) == {1: 50, 2: 4}
    assert len({report["id"] for report in palate.reports}) == 54


@forks
def test_a_pool_of_forked_processes_reports_and_reads(palate: Palate) -> None:
    script = """
    assert client.version.name == "v1.0.0"
    client.report("v1.0.0", score=1)

    def work(number):
        client.report(client.version, score=2)
        return client.flush(timeout=40)

    with multiprocessing.get_context("fork").Pool(3) as pool:
        print(pool.map(work, range(12)), client.flush(timeout=40))
    """
    assert told(palate, script) == [f"{[0] * 12} 0"]
    assert Counter(report["score"] for report in palate.reports) == {1: 1, 2: 12}


@forks
def test_a_child_that_is_forked_while_its_parent_looks_looks_itself(palate: Palate) -> None:
    def once(at: Handler) -> None:
        palate.fault = None
        at.palate.over.wait(60)

    palate.fault = once
    script = """
    threading.Thread(target=client.refresh, daemon=True).start()
    feed = client._feeds["current"]
    until(lambda: feed.due > 0)
    feed.guard.acquire()  # as another thread may hold it just then
    child = os.fork()
    if not child:
        signal.alarm(50)
        print(client.version.name, flush=True)
        os._exit(0)
    print(waited(child), flush=True)
    os._exit(0)
    """
    assert told(palate, script) == ["0", "v1.0.0"]


def test_a_flush_returns_in_time_and_says_what_still_waits(make: Make, palate: Palate) -> None:
    client = make(timeout=30)
    palate.fault = hanging
    client.report("v0.0.1", score=1)
    client.report("v1.0.0", score=2)
    until("a try", lambda: palate.reports)
    assert client.flush(timeout=0.1) == 2
    palate.over.set()
    assert client.flush(timeout=30) == 0


def test_where_nothing_forks_it_is_the_same_client(palate: Palate) -> None:
    script = f"import os; del os.fork, os.register_at_fork\n{textwrap.dedent(BEGIN)}print(client.version.name)"
    if sys.platform == "win32":
        script = script.partition("\n")[2]
    call = [sys.executable, "-c", script.replace("signal.alarm(100)", ""), palate.url, KEY]
    done = subprocess.run(call, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.strip()) == (0, "v1.0.0"), done.stderr
