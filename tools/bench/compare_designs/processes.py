"""Starts the processes of a server, sends requests over its socket, and measures the processor time of all
processes."""
from __future__ import annotations

import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time

import common

START_SECONDS = 120
STOP_SECONDS = 15


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: pathlib.Path):
        super().__init__("localhost", timeout=60)
        self.path = str(path)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


class Process(common.Program):
    """Starts a process in a new process group, so that its children can be ended with it. It stays in this program's
    session, because the kernel may share the processors among sessions first (sched_autogroup)."""

    def __init__(self, command: list, environment: dict[str, str]):
        super().__init__([str(part) for part in command], stdin=subprocess.DEVNULL, env={**os.environ, **environment},
                         process_group=0)

    def stop(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            pass
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        super().stop()


class Server:
    """The processes of a server, with a folder for their sockets. Use it in a `with`; at its end the processes are
    ended in the reverse order of their start."""

    def __init__(self):
        self.stack = contextlib.ExitStack()
        self.path = pathlib.Path(self.stack.enter_context(tempfile.TemporaryDirectory(prefix="yolod-compare-")))
        self.socket = self.path / "http.sock"
        self.processes: list[Process] = []

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_) -> None:
        self.stack.close()

    def run(self, command: list, **environment: str) -> None:
        self.processes.append(self.stack.enter_context(Process(command, environment)))

    def wait_until(self, is_so, what: str) -> None:
        end = time.monotonic() + START_SECONDS
        while not is_so():
            if any(one.process.poll() is not None for one in self.processes) or time.monotonic() > end:
                raise SystemExit(f"{what} did not come up:\n" + "\n".join(one.log.read_text() for one in self.processes))
            time.sleep(0.02)

    def post(self, body: bytes) -> tuple[int, bytes]:
        connection = UnixConnection(self.socket)
        try:
            connection.request("POST", "/predict", body, {"Content-Type": "application/octet-stream"})
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def answers(self, body: bytes) -> bool:
        try:
            return self.post(body)[0] == 200
        except OSError:
            return False


def session_seconds() -> float:
    """Returns the processor time of all living processes of this session, and of their ended children."""
    session = os.getsid(0)
    ticks = 0
    for path in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            if int(fields[3]) == session:
                ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
