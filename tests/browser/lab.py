"""A JupyterLab server of one's own: temporary settings, its own port and token, always ended.

In: a directory for its notebooks. Out: its address, its log, and its kernels' process ids.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from typing_extensions import Self

PROJECT = Path(__file__).resolve().parents[2]

# No question about news, and no look at the network for a newer version.
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


class JupyterLab:
    """A real `jupyter lab` on 127.0.0.1, as a context manager.

    Parameters
    ----------
    home : Path
        An empty directory; notebooks go to ``home / "root"``, settings and logs beside it.
    """

    def __init__(self, home: Path) -> None:
        self.root = home / "root"
        self.token = secrets.token_hex(16)
        self.port = free_port()
        self.log_path = home / "lab.log"
        self._home = home
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """The server's address, without a slash at its end."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> str:
        """What the server and its kernels wrote so far."""
        return self.log_path.read_text(errors="replace")

    def __enter__(self) -> Self:
        self.root.mkdir(parents=True)
        settings = self._home / "settings"
        for name, content in _SETTINGS.items():
            path = settings / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))
        with self.log_path.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
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

    def request(self, path: str, *, method: str = "GET") -> object:
        """Return the decoded answer of the server's REST interface to ``/api/`` + `path`."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}",
            method=method,
            headers={"Authorization": f"token {self.token}"},
        )
        with urllib.request.urlopen(request, timeout=20) as answer:
            body = answer.read()
        return json.loads(body) if body else None

    def processes(self) -> list[psutil.Process]:
        """Return the server's process and everything it started, kernels included."""
        if self._process is None:
            return []
        try:
            server = psutil.Process(self._process.pid)
            return [server, *server.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kernels(self) -> list[psutil.Process]:
        """Return the running kernels' processes, oldest first."""
        found = [
            process
            for process in self.processes()
            if process.is_running() and "ipykernel_launcher" in " ".join(_command_of(process))
        ]
        return sorted(found, key=psutil.Process.create_time)

    def add_kernel(self, name: str, spec: str) -> None:
        """Offer another kernel: `spec` is the text of its kernel.json."""
        folder = self._home / "data" / "kernels" / name
        folder.mkdir(parents=True)
        (folder / "kernel.json").write_text(spec)

    def stop_kernels(self) -> None:
        """End every kernel, so that the next test starts with none."""
        sessions = self.request("sessions")
        assert isinstance(sessions, list)
        for session in sessions:
            self.request(f"sessions/{session['id']}", method="DELETE")

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
                self.request("status")
            except OSError:
                time.sleep(0.1)
            else:
                return
        msg = f"JupyterLab did not answer within {seconds} s; its log ends:\n{self.log[-2000:]}"
        raise RuntimeError(msg)

    def _command(self) -> list[str]:
        return [
            sys.executable,
            "-m",
            "jupyterlab",
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            f"--LabApp.user_settings_dir={self._home / 'settings'}",
            f"--LabApp.workspaces_dir={self._home / 'workspaces'}",
        ]

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


def _command_of(process: psutil.Process) -> list[str]:
    try:
        command: list[str] = process.cmdline()
    except psutil.NoSuchProcess:
        return []
    return command
