"""A JupyterLab server of one's own, and the same notebooks in Notebook 7.

In: a directory for its notebooks. Out: its address, its log, and its kernels' process ids.
"""

from __future__ import annotations

import json
import sys

import psutil

from tests.browser.server import Server

# No question about news, and no look at the network for a newer version.
_SETTINGS = {
    "@jupyterlab/apputils-extension/notification.jupyterlab-settings": {
        "fetchNews": "false",
        "checkForUpdates": False,
        "doNotDisturbMode": True,
    },
}


class JupyterLab(Server):
    """A real `jupyter lab`."""

    health = "api/status"
    module, app, pages = "jupyterlab", "LabApp", "lab/tree"
    """What is started, the name of its settings, and where its notebooks are."""
    noise = r"favicon|ResizeObserver loop|Could not restore the debugger state"
    """What it writes to the console as errors on a good day; anything else is ours."""

    def prepare(self) -> None:
        """Write the settings that it is to find."""
        settings = self._home / "settings"
        for name, content in _SETTINGS.items():
            path = settings / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(content))

    def request(self, path: str, *, method: str = "GET") -> object:
        """Return the decoded answer of the server's REST interface to ``/api/`` + `path`."""
        body = self.ask(f"api/{path}", method=method)
        return json.loads(body) if body else None

    def page_url(self, name: str) -> str:
        """Return the address at which a notebook opens."""
        return f"{self.url}/{self.pages}/{name}?token={self.token}&reset"

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

    def command(self) -> list[str]:
        """Return what starts it."""
        return [
            sys.executable,
            "-m",
            self.module,
            "--no-browser",
            "--allow-root",
            "--expose-app-in-browser",
            "--ServerApp.ip=127.0.0.1",
            f"--ServerApp.port={self.port}",
            "--ServerApp.port_retries=0",
            f"--ServerApp.root_dir={self.root}",
            f"--IdentityProvider.token={self.token}",
            f"--{self.app}.user_settings_dir={self._home / 'settings'}",
            f"--{self.app}.workspaces_dir={self._home / 'workspaces'}",
        ]


class NotebookSeven(JupyterLab):
    """A real `jupyter notebook`."""

    module, app, pages = "notebook", "JupyterNotebookApp", "notebooks"
    noise = rf"{JupyterLab.noise}|undefined \(reading 'schema'\)"


def _command_of(process: psutil.Process) -> list[str]:
    try:
        command: list[str] = process.cmdline()
    except psutil.NoSuchProcess:
        return []
    return command
