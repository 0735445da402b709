"""Builds the JavaScript into the package: always in a checkout; an sdist ships it built."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BuildJavaScript(BuildHookInterface[Any]):
    """Run `npm run build` where the sources are under git; elsewhere demand the built files."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        del version, build_data
        root = Path(self.root)
        static = root / "cnnviz_widgets" / "static"
        npm = shutil.which("npm")
        # In a checkout an old bundle may lie in static/, so existing files are no reason to skip.
        if (root / ".git").exists() and npm:
            if not (root / "node_modules").exists():
                subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=root, check=True)
            subprocess.run([npm, "run", "--silent", "build"], cwd=root, check=True)
        for bundle in (static / name for name in bundles(root)):
            if not bundle.exists() or bundle.stat().st_size < 100:
                raise RuntimeError(
                    f"{bundle} is missing or empty: the widget's JavaScript has not been built. "
                    "Install node 20 or newer and run `npm ci && npm run build`, or install the "
                    "wheel."
                )


def bundles(root: Path) -> list[str]:
    """What js/build.mjs makes: a module and a style for each widget, and those of a page."""
    widgets = sorted((root / "js" / "src" / "widgets").glob("*.ts"))
    files = [f"{widget.stem}.{suffix}" for widget in widgets for suffix in ("js", "css")]
    return [*files, "baked.js", "host.js", "page.css"]
