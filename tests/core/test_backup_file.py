"""Is a backup file read only with its key, and only as it was written?"""

import io
import json
import os
import random
import tracemalloc

import pytest

from portal.core import backup_file
from portal.core.backup_file import MAGIC, BrokenBackup, Writer

KEY = b"k" * 32
LINES = [f"row {at} of +819012345678".encode() for at in range(1000)]


def written(lines=LINES, key: bytes = KEY) -> bytes:
    file = io.BytesIO()
    writer = Writer(file, key)
    for line in lines:
        writer.write(line)
    writer.close()
    return file.getvalue()


def read(content: bytes, key: bytes = KEY) -> list[bytes]:
    return list(backup_file.read(io.BytesIO(content), key))


@pytest.fixture(scope="module")
def large() -> list[bytes]:
    """Lines that no packing makes small, so that there are many pieces."""
    chance = random.Random(5)
    return [chance.randbytes(50_000).hex().encode() for _ in range(40)]


def test_what_was_written_is_read(large):
    assert read(written()) == LINES
    assert read(written(large)) == large
    assert read(written([])) == []
    assert read(written([b"", b""])) == [b"", b""]


def test_dat_04_without_its_key_nothing_of_it_can_be_read():
    content = written()
    assert b"9012345678" not in content
    with pytest.raises(BrokenBackup, match="key"):
        read(content, b"x" * 32)


def test_dat_04_two_backups_of_the_same_rows_have_nothing_in_common():
    first, second = written(), written()
    assert first[len(MAGIC) + 16 :] != second[len(MAGIC) + 16 :]


def pieces(content: bytes) -> tuple[bytes, list[bytes]]:
    head, rest, found = content[: len(MAGIC) + 16], content[len(MAGIC) + 16 :], []
    while rest:
        size = 4 + int.from_bytes(rest[:4], "big")
        found.append(rest[:size])
        rest = rest[size:]
    return head, found


def test_dat_04_what_was_changed_moved_taken_out_or_cut_off_is_found(large):
    head, found = pieces(written(large))
    assert len(found) > 4
    _, others = pieces(written(large))
    for change in (
        [found[1], found[0], *found[2:]],
        [found[0], *found[2:]],
        found[:-1],
        [*found, found[-1]],
        [*found[:2], others[2], *found[3:]],
        [],
    ):
        with pytest.raises(BrokenBackup):
            read(head + b"".join(change))


def test_dat_04_every_byte_counts():
    content = bytearray(written(LINES[:3]))
    for place in range(len(content)):
        content[place] ^= 1
        with pytest.raises(BrokenBackup):
            read(bytes(content))
        content[place] ^= 1
    for length in range(len(content)):
        with pytest.raises(BrokenBackup):
            read(bytes(content[:length]))


@pytest.mark.parametrize("content", [b"", b"SQLite format 3\0", MAGIC, json.dumps({}).encode()])
def test_what_is_no_backup_is_said_to_be_none(content):
    with pytest.raises(BrokenBackup):
        read(content)


def test_size_costs_no_memory(tmp_path):
    path = tmp_path / "large"
    tracemalloc.start()
    with path.open("wb") as file:
        writer = Writer(file, KEY)
        for _ in range(400):
            writer.write(os.urandom(25_000).hex().encode())
        writer.close()
    with path.open("rb") as file:
        assert sum(len(line) for line in backup_file.read(file, KEY)) == 20_000_000
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 8_000_000
