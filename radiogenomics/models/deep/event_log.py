"""What happens while a network is trained: JSON lines, and event files that TensorBoard reads."""

from __future__ import annotations

import json
import math
import struct
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from radiogenomics.core.errors import DataError, SchemaError

LINES = "events.jsonl"
RECORDS = "events.out.tfevents.{:010d}.radiogenomics"
STEP, TIME = "step", "time"
FILE_VERSION = b"brain.Event:2"
# CRC-32C, bits reversed, and the constant by which TFRecord masks it.
CASTAGNOLI = 0x82F63B78
MASK = 0xA282EAD8
UINT32 = 0xFFFFFFFF
# Wire types of protocol buffers.
VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
SESSION_STARTED = 1


class EventLog:
    """Numbers of each epoch, appended to two files of a folder.

    ``events.jsonl`` has one JSON object a line: ``step``, ``time`` (seconds since 1970) and the
    numbers by name. ``events.out.tfevents.*`` has the same for TensorBoard, which need not be
    installed. Both are written through at once; a kill loses half a line at most.

    Parameters
    ----------
    folder
        Made when missing. A log that is there is gone on with.
    clock
        Gives the time; for tests.

    References
    ----------
    TFRecord and event files: TensorFlow's ``event.proto`` and ``summary.proto``. CRC-32C:
    RFC 3720, appendix B.4.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     log = EventLog(folder, clock=lambda: 0.0)
    ...     log.write(1, {"loss": 0.5})
    ...     log.lines()
    [{'step': 1, 'time': 0.0, 'loss': 0.5}]
    """

    def __init__(self, folder: Path | str, *, clock: Callable[[], float] = time.time) -> None:
        self.folder = Path(folder)
        self._clock = clock
        self._records: Path | None = None

    def write(self, step: int, values: Mapping[str, float]) -> None:
        """Append the numbers of a step.

        Raises
        ------
        DataError
            A number is not finite, which JSON cannot say.
        SchemaError
            A number is named ``step`` or ``time``.
        """
        broken = [name for name, value in values.items() if not math.isfinite(value)]
        if broken:
            raise DataError(
                f"step {step}: expected finite numbers to log; found {broken[0]} = "
                f"{values[broken[0]]}. Leave out what is not known."
            )
        if {STEP, TIME} & set(values):
            raise SchemaError(
                f"expected names of numbers other than {STEP!r} and {TIME!r}; found one of them. "
                "Rename it."
            )
        now = float(self._clock())
        records = self._records or self._start(step, now)
        line = json.dumps({STEP: step, TIME: now, **values})
        with (self.folder / LINES).open("a", encoding="utf-8") as file:
            file.write(line + "\n")
        with records.open("ab") as file:
            file.write(_record(_scalars(step, now, values)))

    def rewind(self, step: int) -> None:
        """Forget what was logged after a step, as when going on from a checkpoint.

        TensorBoard is told in the next event file that a session starts there.
        """
        self._records = None
        self._keep([line for line in self.lines() if line[STEP] <= step])

    def lines(self) -> list[dict[str, Any]]:
        """Return what was logged, oldest first; a last line cut by a kill is left out."""
        source = self.folder / LINES
        if not source.is_file():
            return []
        text = source.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines(keepends=True) if line.endswith("\n")]

    def _keep(self, lines: list[dict[str, Any]]) -> None:
        fresh = self.folder / f"{LINES}.part"
        if (self.folder / LINES).is_file():
            fresh.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
            fresh.replace(self.folder / LINES)

    def _start(self, step: int, now: float) -> Path:
        """Begin an event file; where there is one already, say that its later steps do not count.

        A cut last line of the other file goes, so that nothing is appended to it.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        self._keep(self.lines())
        earlier = sorted(self.folder.glob(RECORDS.replace("{:010d}", "*")))
        number = int(earlier[-1].name.split(".")[3]) + 1 if earlier else 1
        started = _record(_event(now, 0, _field(3, BYTES, FILE_VERSION)))
        if earlier:
            status = _field(1, VARINT, _varint(SESSION_STARTED))
            started += _record(_event(now, step, _field(7, BYTES, status)))
        self._records = self.folder / RECORDS.format(number)
        self._records.write_bytes(started)
        return self._records


def crc32c(data: bytes) -> int:
    """Cyclic redundancy check by Castagnoli's polynomial, 0 to 2**32 - 1.

    Examples
    --------
    >>> hex(crc32c(b"123456789"))
    '0xe3069283'
    """
    crc = UINT32
    for byte in data:
        crc = TABLE[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ UINT32


def _of_byte(byte: int) -> int:
    for _ in range(8):
        byte = (byte >> 1) ^ (CASTAGNOLI if byte & 1 else 0)
    return byte


TABLE = tuple(_of_byte(byte) for byte in range(256))


def _masked(data: bytes) -> bytes:
    crc = crc32c(data)
    turned = (crc >> 15) | (crc << 17)
    return struct.pack("<I", (turned + MASK) & UINT32)


def _record(data: bytes) -> bytes:
    """Frame of TFRecord: length, its check, data, its check."""
    length = struct.pack("<Q", len(data))
    return length + _masked(length) + data + _masked(data)


def _varint(value: int) -> bytes:
    made = bytearray()
    while value > 0x7F:
        made.append(value & 0x7F | 0x80)
        value >>= 7
    made.append(value)
    return bytes(made)


def _field(number: int, wire: int, payload: bytes) -> bytes:
    """Encode a field of a message; payloads of no fixed length say theirs."""
    length = _varint(len(payload)) if wire == BYTES else b""
    return _varint(number << 3 | wire) + length + payload


def _event(now: float, step: int, what: bytes) -> bytes:
    """Encode an Event: wall_time = 1, step = 2, and one of the rest."""
    moment = _field(1, FIXED64, struct.pack("<d", now))
    return moment + _field(2, VARINT, _varint(step)) + what


def _scalars(step: int, now: float, values: Mapping[str, float]) -> bytes:
    """Event.summary = 5 of Summary.value = 1, each with tag = 1 and simple_value = 2."""
    summary = b"".join(
        _field(
            1,
            BYTES,
            _field(1, BYTES, name.encode()) + _field(2, FIXED32, struct.pack("<f", value)),
        )
        for name, value in values.items()
    )
    return _event(now, step, _field(5, BYTES, summary))
