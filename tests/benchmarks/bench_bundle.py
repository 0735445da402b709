"""How large the widgets' JavaScript is: each instance is imported anew by Jupyter."""

from __future__ import annotations

from pathlib import Path

from tests.benchmarks.figure import Figure

_STATIC = Path(__file__).resolve().parents[2] / "cnnviz_widgets" / "static"


def measure(*, quick: bool) -> list[Figure]:
    """Weigh what the wheel carries: each widget's minified module, in kB of 1000 bytes.

    Raises
    ------
    RuntimeError
        Nothing has been built.
    """
    del quick  # nothing takes time
    bundles = sorted(_STATIC.glob("*.js"))
    if not bundles:
        msg = f"{_STATIC} has no .js; run `npm run build` first"
        raise RuntimeError(msg)
    return [
        Figure(f"JavaScript of {path.stem}, minified", path.stat().st_size / 1000, "kB", 40)
        for path in bundles
    ]
