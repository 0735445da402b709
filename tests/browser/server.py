"""A server of one's own: temporary settings, its own port, always ended.

In: a command. Out: its address, its log, and its process ids.
"""

from __future__ import annotations

import os
import secrets
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from typing_extensions import Self

PROJECT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class Server:
    """A server on 127.0.0.1, as a context manager.

    Parameters
    ----------
    home : Path
        An empty directory; notebooks go to ``home / "root"``, settings and logs beside it.
    """

    health = ""
    """What is asked for to see whether it is up, after the address."""

    def __init__(self, home: Path) -> None:
        self.root = home / "root"
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.log_path = home / "server.log"
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    def command(self) -> list[str]:
        """Return what starts it."""
        raise NotImplementedError

    def prepare(self) -> None:
        """Write the settings that it is to find."""

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server and its kernels wrote so far."""
        return self.log_path.read_text(errors="replace")

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True, exist_ok=True)
        self.prepare()
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                self.command(),
                cwd=self.root,
                env=self._environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_up(seconds=60)
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def ask(self, path: str, *, method: str = "GET") -> bytes:
        """Return the body of the server's answer to `path`."""
        request = urllib.request.Request(
            f"{self.url}/{path}", method=method, headers={"Authorization": f"token {self.token}"}
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            body: bytes = answer.read()
        return body

    def processes(self) -> list[psutil.Process]:
        """Return the server's process and everything it started, kernels included."""
        if self._process is None:
            return []
        try:
            server = psutil.Process(self._process.pid)
            return [server, *server.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def stop(self) -> None:
        """End the server and its kernels; ask first, then insist."""
        family = self.processes()
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(10)
            self._process = None
        _, alive = psutil.wait_procs(family, timeout=3)
        for process in alive:
            process.kill()

    def _wait_until_up(self, *, seconds: float) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self._process is not None
            if self._process.poll() is not None:
                break
            try:
                self.ask(self.health)
            except OSError:
                time.sleep(0.1)
            else:
                return
        name = type(self).__name__
        msg = f"{name} did not answer within {seconds} s; its log ends:\n{self.log[-2000:]}"
        raise RuntimeError(msg)

    def _environment(self) -> dict[str, str]:
        environment = dict(os.environ)
        for name in ("CONFIG", "DATA", "RUNTIME"):
            environment[f"JUPYTER_{name}_DIR"] = str(self._home / name.lower())
        environment["IPYTHONDIR"] = str(self._home / "ipython")
        environment["PYTHONPATH"] = os.pathsep.join(
            [str(PROJECT), *filter(None, [os.environ.get("PYTHONPATH")])]
        )
        # A kernel inherits the debugger's warnings about frozen modules otherwise.
        environment["PYDEVD_DISABLE_FILE_VALIDATION"] = "1"
        return environment
