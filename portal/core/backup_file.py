"""What does a backup look like on disk? Lines, packed and sealed piece by piece, at no cost of memory.

A file begins with MAGIC and 16 random bytes. Then come pieces: four bytes of length, and that many bytes
of AES-256-GCM. Its key is made of the operator's key and the 16 bytes; each piece's number, and whether it
is the last, are sealed along with it. What was changed, moved, taken out or cut off is found (DAT-04).
"""

import os
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC = b"RINGBACK-BACKUP-1\n"
_SALT_BYTES = 16
# How much is sealed at once, in bytes before sealing; a piece that claims to be much larger is no piece.
_PIECE = 256 * 1024
_LARGEST_PIECE = 2 * _PIECE
_LONGEST_LINE = 16 * 1024 * 1024


class BrokenBackup(Exception):
    """A file cannot be read as a backup; the message says why, and what may help."""


class Writer:
    """Puts lines into a file. Nothing is a backup before `close`."""

    def __init__(self, file: BinaryIO, key: bytes) -> None:
        """`key` is the operator's key, of any length from 32 bytes on."""
        salt = os.urandom(_SALT_BYTES)
        self._file = file
        self._seal = _Seal(key, salt)
        self._packer = zlib.compressobj(6)
        self._waiting = bytearray()
        file.write(MAGIC + salt)

    def write(self, line: bytes) -> None:
        """Adds one line, without its end."""
        self._waiting += self._packer.compress(line + b"\n")
        while len(self._waiting) > _PIECE:
            self._put(bytes(self._waiting[:_PIECE]), is_last=False)
            del self._waiting[:_PIECE]

    def close(self) -> None:
        """Writes what is left, and the end."""
        self._waiting += self._packer.flush()
        self._put(bytes(self._waiting), is_last=True)

    def _put(self, plain: bytes, *, is_last: bool) -> None:
        sealed = self._seal.close(plain, is_last=is_last)
        self._file.write(len(sealed).to_bytes(4, "big") + sealed)


def read(file: BinaryIO, key: bytes) -> Iterator[bytes]:
    """The lines of a backup, one by one. Raises BrokenBackup, at the latest at the end."""
    if file.read(len(MAGIC)) != MAGIC:
        raise BrokenBackup("This is no backup of Ringback's.")
    unpacker, left = zlib.decompressobj(), b""
    for plain in _pieces(file, _Seal(key, file.read(_SALT_BYTES))):
        left += _unpacked(unpacker, plain)
        *lines, left = left.split(b"\n")
        yield from lines
        if len(left) > _LONGEST_LINE:
            raise BrokenBackup("This backup has a line without an end.")
    if left or not unpacker.eof:
        raise BrokenBackup("This backup ends in the middle.")


def _pieces(file: BinaryIO, seal: "_Seal") -> Iterator[bytes]:
    length = file.read(4)
    while length:
        size = int.from_bytes(length, "big")
        sealed = file.read(min(size, _LARGEST_PIECE))
        if size > _LARGEST_PIECE or len(sealed) < size:
            raise BrokenBackup("This backup is cut off.")
        length = file.read(4)
        yield seal.open(sealed, is_last=not length)


def _unpacked(unpacker: "zlib._Decompress", packed: bytes) -> bytes:
    try:
        return unpacker.decompress(packed)
    except zlib.error as error:
        raise BrokenBackup("This backup cannot be unpacked.") from error


class _Seal:
    def __init__(self, key: bytes, salt: bytes) -> None:
        own = HKDF(SHA256(), 32, salt, b"ringback backup").derive(key)
        self._cipher = AESGCM(own)
        self._about = MAGIC + salt
        self._number = 0

    def close(self, plain: bytes, *, is_last: bool) -> bytes:
        """One more piece, sealed."""
        return self._cipher.encrypt(self._nonce(), plain, self._about + bytes([is_last]))

    def open(self, sealed: bytes, *, is_last: bool) -> bytes:
        """The next piece. Raises BrokenBackup."""
        is_first = self._number == 0
        try:
            return self._cipher.decrypt(self._nonce(), sealed, self._about + bytes([is_last]))
        except InvalidTag:
            if is_first:
                raise BrokenBackup("The key is not this backup's, or its beginning was changed.") from None
            raise BrokenBackup("This backup was changed or cut off.") from None

    def _nonce(self) -> bytes:
        # The key is of this file alone, so that counting never repeats a nonce.
        self._number += 1
        return self._number.to_bytes(12, "big")
