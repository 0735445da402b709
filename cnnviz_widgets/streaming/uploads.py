"""Files that come from a page in parts, each small enough for any server's limit on a message.

In: contents and buffers of messages of type "part". Out: the bytes of a file, once it is asked for.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from .messages import MAX_CID, MAX_SEQ, MessageError, read_name, read_whole

MAX_FILE_BYTES = 32 << 20
_MOST_VIEWS = 4


@dataclass
class _Upload:
    number: int
    parts: list[bytes] = field(default_factory=list)
    size: int = 0


class Uploads:
    """The file that each view sends, one for a view at a time, the newest.

    Parts come in the thread of message handlers, files are asked for in a worker's.
    """

    def __init__(self) -> None:
        self._views: OrderedDict[str, _Upload] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, content: object, buffers: Sequence[object]) -> bool:
        """Keep a part of a file; tell whether the message was one.

        Raises
        ------
        MessageError
            It is a part that cannot be read, or makes its file too large.
        """
        if not isinstance(content, Mapping) or content.get("type") != "part":
            return False
        cid = read_name(content, "cid", longest=MAX_CID)
        number = read_whole(content, "upload", high=MAX_SEQ)
        place = read_whole(content, "place")
        data = bytes(buffers[0]) if buffers else b""  # type: ignore[call-overload]  # a buffer
        with self._lock:
            upload = self._views.get(cid)
            if upload is None or upload.number < number:
                upload = self._views[cid] = _Upload(number)
            self._views.move_to_end(cid)
            while len(self._views) > _MOST_VIEWS:
                self._views.popitem(last=False)
            if number < upload.number:
                return True  # of a file that nobody waits for any more
            if place != len(upload.parts):
                return True  # told when the file is asked for: its size is not right then
            if upload.size + len(data) > MAX_FILE_BYTES:
                del self._views[cid]
                raise MessageError(f"a file of more than {MAX_FILE_BYTES >> 20} MB is not taken.")
            upload.parts.append(data)
            upload.size += len(data)
        return True

    def file(self, cid: str, number: int, size: int) -> bytes:
        """Hand out a file, and forget it.

        Raises
        ------
        MessageError
            Not all of it has come.
        """
        with self._lock:
            upload = self._views.get(cid)
            if upload is None or upload.number != number or upload.size != size:
                came = upload.size if upload and upload.number == number else 0
                raise MessageError(f"{came} of {size} bytes of the file came; choose it again.")
            del self._views[cid]
        return b"".join(upload.parts)
