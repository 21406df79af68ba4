"""A locked database or a slow name server holds up the requests that need it, and no others."""

import math
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import counts
import httpx
import pytest
from deadlines import duration_s, is_in_time
from slow_clients import Served, served
from workbench import Workbench, article, write_files

from aion_assets.core.curate.decisions import REJECTED, Verdict, decide
from aion_assets.core.release.known import Known
from aion_assets.core.settings import Settings

# What a person sees who opens the page and searches, and what watches the process.
QUICK = ("/", "/health", "/ready", "/api/search?q=tea", "/static/chat.js", "/docs")
_SOON_S = 2.5
_DNS = "127.0.0.9"
_MANY = counts.amount(80, 200)  # more than the server has threads


class SilentDns:
    """A name server that knows fast.example, and keeps silent on all others. `asked` counts its questions."""

    def __init__(self) -> None:
        self.asked = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self._socket.bind((_DNS, 53))
        except OSError as error:
            self._socket.close()
            pytest.skip(f"no name server can be played here: {error.strerror}")
        threading.Thread(target=self._answer, daemon=True).start()

    def _answer(self) -> None:
        while True:
            question, address = self._socket.recvfrom(512)
            self.asked += 1
            if b"\x04fast\x07example" not in question:
                continue
            name = question[12 : question.index(b"\0", 12) + 5]
            found = b"\xc0\x0c\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x7f\x00\x00\x01"
            found = found if name[-3:-2] == b"\x01" else b""  # only of IPv4
            counts_of = b"\x00\x01" + (b"\x00\x01" if found else b"\x00\x00") + b"\x00" * 4
            self._socket.sendto(question[:2] + b"\x81\x80" + counts_of + name + found, address)


@pytest.fixture(scope="module")
def dns() -> SilentDns:
    return SilentDns()


@pytest.fixture(scope="module")
def asking_it(dns: SilentDns, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """What a command is wrapped in so that this name server is its own."""
    if sys.platform != "linux" or os.geteuid() != 0:
        pytest.skip("a process gets a name server of its own on Linux, by root only")
    conf = tmp_path_factory.mktemp("dns") / "resolv.conf"
    conf.write_text(f"nameserver {_DNS}\noptions timeout:2 attempts:1\n")
    wrapped = ["unshare", "-m", "sh", "-c", f'mount --bind {conf} /etc/resolv.conf && exec "$@"', "sh"]
    tried = subprocess.run([*wrapped, "true"], capture_output=True, check=False)
    if tried.returncode:
        pytest.skip("mounting is not permitted here")
    return wrapped


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Workbench:
    folder = tmp_path_factory.mktemp("slow")
    made = Workbench(Settings(home=folder / "home", database_url=""))
    made.run(made.add(write_files(folder / "files", tea_md=article("tea"), coffee_md=article("coffee"))))
    return made


@pytest.fixture(scope="module")
def server(bench: Workbench, asking_it: list[str]) -> Iterator[Served]:
    with served(bench.settings.home.parent, asking_it) as made:
        _until(lambda: all(_get(made, path)[0] == 200 for path in QUICK))
        yield made


def _until(holds: Callable[[], bool], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


# A connection for each request. Making a client takes longer than most requests do, and is not the server's time.
_client = httpx.Client(trust_env=False, limits=httpx.Limits(max_connections=None, max_keepalive_connections=0))


def _get(server: Served, path: str, within_s: float = 30.0) -> tuple[int, float]:
    """Status (0 for none in time) and seconds."""
    started = time.monotonic()
    try:
        status = _client.get(f"{server.url}{path}", timeout=within_s).status_code
    except httpx.HTTPError:
        status = 0
    return status, time.monotonic() - started


@contextmanager
def locked(database: Path) -> Iterator[None]:
    """By another process, as by a tool that somebody left open."""
    program = (
        "import sqlite3, sys\n"
        "connection = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "connection.execute('BEGIN EXCLUSIVE')\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    command = [sys.executable, "-c", program, str(database)]
    holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert holder.stdout is not None and holder.stdout.readline() == b"locked\n"
        yield
    finally:
        holder.kill()
        holder.communicate()


def _quick_ones(server: Served, what: str) -> None:
    """Each is answered soon."""
    late = []
    for path in QUICK * counts.amount(2, 20):

        def asked(path: str = path) -> float:
            status, seconds = _get(server, path, _SOON_S)
            return seconds if status == 200 else math.inf

        late += [] if is_in_time(_SOON_S, asked) else [path]
    counts.note(what, len(QUICK) * counts.amount(2, 20), len(late))
    assert not late


def _posted(server: Served, pool: ThreadPoolExecutor, path: str, bodies: list[dict[str, str]]) -> list[Future[int]]:
    def post(body: dict[str, str]) -> int:
        return _client.post(f"{server.url}{path}", json=body, timeout=90).status_code

    return [pool.submit(post, body) for body in bodies]


def test_while_the_database_is_locked_the_page_and_searches_answer(server: Served, bench: Workbench) -> None:
    with ThreadPoolExecutor(_MANY) as pool:
        with locked(bench.settings.home / "aion.sqlite"):
            asked = _posted(server, pool, "/api/chat", [{"message": f"What of tea {n}?"} for n in range(_MANY)])
            time.sleep(0.5)
            assert [one.result() for one in asked if one.done()] == [], "a question is recorded, and waits"
            _quick_ones(server, "requests beside a locked database")
        assert {one.result() for one in asked} <= {200, 503}, "answered, or told that the database is locked"


def test_while_a_name_server_keeps_silent_the_page_and_searches_answer(server: Served, dns: SilentDns) -> None:
    links = [{"url": f"http://www{number}.slow.example/"} for number in range(_MANY)]
    with ThreadPoolExecutor(_MANY) as pool:
        asked = _posted(server, pool, "/kb/ingest/link", links)
        _until(lambda: dns.asked >= 10)
        _quick_ones(server, "requests beside a silent name server")
        status = httpx.post(f"{server.url}/api/chat", json={"message": "What of tea?"}, timeout=30).status_code
        assert status == 200, "answers go on, too"
        assert {one.result() for one in asked} == {422}


def test_a_name_that_is_not_told_in_time_is_given_up_and_others_are_told_meanwhile(asking_it: list[str]) -> None:
    program = (
        "import asyncio, time\n"
        "from aion_assets.core.fetch.guard import resolve\n"
        "from aion_assets.core.fetch.lookup import lookup_async\n"
        "from ipaddress import ip_network\n"
        "async def several():\n"
        "    slow = [lookup_async(f'{n}.slow.example', 80, 0.5) for n in range(20)]\n"
        "    fast = lookup_async('fast.example', 80, 2)\n"
        "    return await asyncio.gather(*slow, fast, return_exceptions=True)\n"
        "started = time.monotonic()\n"
        "*slow, fast = asyncio.run(several())\n"
        "assert all(isinstance(one, OSError) for one in slow), slow\n"
        "assert fast[0][4][0] == '127.0.0.1', fast\n"
        "try:\n"
        "    resolve('b.slow.example', 80, (), 0.3)\n"
        "except OSError as error:\n"
        "    assert 'did not answer' in str(error)\n"
        "assert resolve('fast.example', 80, [ip_network('127.0.0.0/8')], 2) == ['127.0.0.1']\n"
        "print(time.monotonic() - started)\n"
    )

    def looked_up() -> float:
        done = subprocess.run([*asking_it, sys.executable, "-c", program], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return float(done.stdout)

    soon = is_in_time(1.8, looked_up)
    counts.note("names that a name server keeps silent on", 21, int(not soon))
    assert soon, "the resolver itself waits 2 seconds for each"


def test_what_was_read_before_a_lock_holds_only_while_nothing_was_committed(bench: Workbench) -> None:
    file = bench.settings.home / "aion.sqlite"
    known = Known(bench.database, bench.tenant_id)
    release_id = known.release_id()
    assert release_id and known.hidden().doc_ids == frozenset()
    with locked(file):
        assert is_in_time(2, partial(duration_s, known.hidden)) and known.hidden().doc_ids == frozenset()
        assert is_in_time(2, partial(duration_s, known.release_id)) and known.release_id() == release_id
    doc_id = bench.rows("documents", "doc_id")[0]["doc_id"]
    decide(bench.database, bench.tenant_id, [doc_id], Verdict(REJECTED, "tester"))
    fresh = Known(bench.database, bench.tenant_id)
    with ThreadPoolExecutor(2) as pool:
        with locked(file):
            waits, unread = pool.submit(known.hidden), pool.submit(fresh.hidden)
            time.sleep(0.7)
            assert not waits.done(), "something was committed since: what was known does not hold any more"
            assert not unread.done()
        assert waits.result().doc_ids == unread.result().doc_ids == {doc_id}
