"""Ten digits as one might draw them, as lines on a paper of 200 x 200; y goes down."""

from __future__ import annotations

import math

Line = list[tuple[float, float]]


def _arc(x: float, y: float, width: float, height: float, start: float, end: float) -> Line:
    """Return points of an ellipse from one angle to another, in degrees, clockwise on paper."""
    angles = [math.radians(start + (end - start) * step / 23) for step in range(24)]
    return [(x + width * math.cos(a), y + height * math.sin(a)) for a in angles]


DIGITS: dict[str, list[Line]] = {
    "0": [_arc(100, 100, 45, 70, -90, 270)],
    "1": [[(75, 60), (110, 30), (110, 170)]],
    "2": [[*_arc(100, 70, 42, 40, 180, 380), (60, 168), (145, 168)]],
    "3": [_arc(95, 66, 40, 36, 200, 440) + _arc(95, 134, 44, 38, -80, 160)],
    "4": [[(95, 30), (55, 115), (150, 115)], [(125, 70), (120, 175)]],
    "5": [[(140, 32), (70, 32), (64, 90), *_arc(95, 125, 45, 44, -120, 150)]],
    "6": [[(125, 30), (85, 70), *_arc(100, 130, 40, 40, 200, 560)]],
    "7": [[(55, 35), (145, 35), (90, 170)]],
    "8": [_arc(100, 65, 34, 34, 90, -270) + _arc(100, 135, 40, 36, -90, 270)],
    "9": [[*_arc(100, 70, 38, 38, 0, -360), (138, 70), (125, 170)]],
}
