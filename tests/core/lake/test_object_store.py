"""The Lance tables in an object store: S3's interface, spoken by a server on loopback."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from workbench import article, write_files

from aion_assets.core.lake.store import Lake

_AION = [sys.executable, "-m", "aion_assets"]
_STORE = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_REGION": "us-east-1"}


@pytest.fixture(scope="module")
def bucket() -> Iterator[dict[str, str]]:
    """What the environment says of an empty bucket."""
    import httpx
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    endpoint = "http://127.0.0.1:{1}".format(*server.get_host_and_port())
    httpx.put(f"{endpoint}/knowledge").raise_for_status()
    yield _STORE | {"AWS_ENDPOINT": endpoint, "AWS_ALLOW_HTTP": "true", "AION_LAKE_URI": "s3://knowledge/lake"}
    server.stop()


def test_turns_over_an_object_store_are_taken_in_the_home(home: Path) -> None:
    one, other = (Lake("s3://knowledge/lake", home) for _ in range(2))
    with one.lock("x"), ThreadPoolExecutor(max_workers=1) as beside:

        def is_free(*names: str) -> bool:
            with other.locks_if_free(*names) as free:
                return free

        assert [beside.submit(is_free, *names).result() for names in (("y", "x"), ("y",), ())] == [False, True, True]
    assert is_free("y", "x")


def test_what_is_collected_into_an_object_store_is_answered_from_it(
    home: Path, tmp_path: Path, bucket: dict[str, str]
) -> None:
    def aion(*verb: str) -> str:
        done = subprocess.run([*_AION, *verb], capture_output=True, text=True, env=os.environ | bucket, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    folder = write_files(tmp_path / "docs", a_md=article("lavender"), b_md=article("basil"))
    aion("source", "add", str(folder), "--name", "garden", "--auto-approve")
    aion("run")
    assert not (home / "lake").exists()
    assert "lavender handbook" in aion("search", "lavender", "--json")
    (folder / "a.md").unlink()
    aion("run", "--source", "garden")
    assert "lavender handbook" not in aion("search", "lavender", "--json")
    assert "broken" not in aion("doctor")
