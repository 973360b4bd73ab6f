"""The event files are read back by a parser of the published formats, written here."""

from __future__ import annotations

import itertools
import json
import struct

import pytest

from radiogenomics.core.errors import DataError, SchemaError
from radiogenomics.models.deep.event_log import EventLog, crc32c

# RFC 3720, appendix B.4, and the check value of the polynomial's catalogue.
KNOWN = {
    bytes(32): 0x8A9136AA,
    b"\xff" * 32: 0x62A8AB43,
    bytes(range(32)): 0x46DD794E,
    bytes(reversed(range(32))): 0x113FDB5C,
    b"123456789": 0xE3069283,
    b"": 0,
}


@pytest.mark.parametrize("data", KNOWN, ids=range(len(KNOWN)))
def test_crc_of_published_vectors(data):
    assert crc32c(data) == KNOWN[data]


def test_crc_agrees_with_another_library(rng):
    other = pytest.importorskip("google_crc32c")
    for length in (1, 7, 64, 1001):
        data = rng.bytes(length)
        assert crc32c(data) == other.value(data)


def bitwise_crc(data):
    """The polynomial's division bit by bit, most significant first, no table."""
    register = 0xFFFFFFFF
    for byte in data:
        register ^= int(f"{byte:08b}"[::-1], 2) << 24
        for _ in range(8):
            register = (register << 1) ^ (0x1EDC6F41 if register & 0x80000000 else 0)
            register &= 0xFFFFFFFF
    return int(f"{register ^ 0xFFFFFFFF:032b}"[::-1], 2)


def unmasked(crc):
    turned = (crc - 0xA282EAD8) % 2**32
    return (turned >> 17 | turned << 15) % 2**32


def records(path):
    """Payloads of a TFRecord file; each check is made."""
    data, place = path.read_bytes(), 0
    while place < len(data):
        length, length_crc = struct.unpack_from("<QI", data, place)
        assert unmasked(length_crc) == bitwise_crc(data[place : place + 8])
        payload = data[place + 12 : place + 12 + length]
        (payload_crc,) = struct.unpack_from("<I", data, place + 12 + length)
        assert unmasked(payload_crc) == bitwise_crc(payload)
        yield payload
        place += 16 + length
    assert place == len(data)


def varint(data, place):
    total = 0
    for shift in itertools.count(0, 7):
        total |= (data[place] & 0x7F) << shift
        place += 1
        if not data[place - 1] & 0x80:
            return total, place


def message(data):
    """Fields of a protocol buffer by number."""
    found, place = {}, 0
    while place < len(data):
        key, place = varint(data, place)
        number, wire = key >> 3, key & 7
        if wire == 0:
            value, place = varint(data, place)
        elif wire == 2:
            length, place = varint(data, place)
            value, place = data[place : place + length], place + length
        else:
            size, code = {1: (8, "<d"), 5: (4, "<f")}[wire]
            (value,) = struct.unpack_from(code, data, place)
            place += size
        found.setdefault(number, []).append(value)
    return found


def scalars(event):
    values = [message(value) for value in message(event[5][0])[1]]
    return {value[1][0].decode(): value[2][0] for value in values}


def read_events(folder):
    paths = sorted(folder.glob("events.out.tfevents.*"))
    return [[message(payload) for payload in records(path)] for path in paths]


def test_tensorboard_file_decodes_to_what_was_logged(tmp_path):
    log = EventLog(tmp_path / "run", clock=iter([1e9 + 0.25, 1e9 + 1.5]).__next__)
    log.write(1, {"loss": 0.1, "score": -2.0})
    log.write(300, {"loss": 1 / 3})
    ((version, first, second),) = read_events(tmp_path / "run")
    assert version[3] == [b"brain.Event:2"]
    assert (first[1], first[2], second[1], second[2]) == ([1e9 + 0.25], [1], [1e9 + 1.5], [300])
    single = [struct.unpack("<f", struct.pack("<f", n))[0] for n in (0.1, 1 / 3)]
    assert scalars(first) == {"loss": single[0], "score": -2.0}
    assert scalars(second) == {"loss": single[1]}


def test_lines_hold_all_digits(tmp_path):
    log = EventLog(tmp_path, clock=lambda: 7.0)
    log.write(1, {"loss": 1 / 3})
    (line,) = (tmp_path / "events.jsonl").read_text().splitlines()
    assert json.loads(line) == {"step": 1, "time": 7.0, "loss": 1 / 3}


def test_going_on_forgets_later_steps_in_both_files(tmp_path):
    log = EventLog(tmp_path, clock=lambda: 0.0)
    for step in (1, 2, 3):
        log.write(step, {"loss": 1.0})
    again = EventLog(tmp_path, clock=lambda: 1.0)
    again.rewind(1)
    again.write(2, {"loss": 0.5})
    assert [(line["step"], line["loss"]) for line in again.lines()] == [(1, 1.0), (2, 0.5)]
    before, after = read_events(tmp_path)
    assert [event.get(2) for event in before[1:]] == [[1], [2], [3]]
    version, started, written = after
    # SessionLog.status START at step 2: readers drop earlier events of step 2 and later.
    assert version[3] == [b"brain.Event:2"]
    assert (started[2], message(started[7][0])) == ([2], {1: [1]})
    assert (written[2], scalars(written)) == ([2], {"loss": 0.5})


def test_a_line_cut_by_a_kill_is_dropped(tmp_path):
    EventLog(tmp_path, clock=lambda: 0.0).write(1, {"loss": 1.0})
    with (tmp_path / "events.jsonl").open("a") as file:
        file.write('{"step": 2, "ti')
    log = EventLog(tmp_path, clock=lambda: 0.0)
    assert [line["step"] for line in log.lines()] == [1]
    log.write(2, {"loss": 0.5})
    assert [line["step"] for line in log.lines()] == [1, 2]


def test_what_json_cannot_say_is_refused(tmp_path):
    log = EventLog(tmp_path)
    with pytest.raises(DataError, match="found score = nan"):
        log.write(1, {"loss": 1.0, "score": float("nan")})
    with pytest.raises(SchemaError, match="other than 'step' and 'time'"):
        log.write(1, {"time": 1.0})
    assert not list(tmp_path.iterdir())
