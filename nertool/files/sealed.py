"""Sealed folders: a JSON header has the SHA-256 of every other file and, as its last entry, of itself.

{
 …,
 "sha256": {"model.safetensors": "…", …},
 "header_sha256": "…"
}

The header's own sum is computed with zeros in place of the sum. The sums reveal damaged and mixed-up files.
They are no signature: whoever can write to the folder can write new sums.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import stat
import zlib
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from mmap import mmap
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from nertool.errors import ModelError
from nertool.files.arrays import Array, arrays_in, map_file
from nertool.files.output import OutputFile
from nertool.files.wordlist import Words

FILES, OWN = "sha256", "header_sha256"
AGAIN = "copy or train the model again"
_OWN_SUM = re.compile(rb'"header_sha256": "([0-9a-f]{64})"\n\}\n\Z')
_NONE = b"0" * 64
PACKED = ".gz"  # the file extension of a compressed list of words
_MOST_WORDS = 1 << 30  # bytes that such a list may unpack to

# Bytes in memory, or a memory map of a file.
Bytes = bytes | mmap | memoryview


def write_bytes(path: Path, data: bytes) -> str:
    """Write a file; return its SHA-256. Errors: OutputError."""
    with OutputFile(path, path) as file:
        rest = memoryview(data)
        while len(rest):
            rest = rest[file.write(rest) :]
    return sha256(data).hexdigest()


def write_words(path: Path, words: Iterable[str]) -> str:
    """Write one word per line, with gzip if the file extension is .gz; return the file's SHA-256."""
    raw = "".join(f"{word}\n" for word in words).encode("utf-8")
    # mtime=0: without the time of writing, the same words give the same bytes.
    return write_bytes(path, gzip.compress(raw, mtime=0) if path.suffix == PACKED else raw)


def _unpacked(raw: bytes, path: Path) -> bytes:
    """Decompress a list of words. Errors: ModelError for damaged data, or more than _MOST_WORDS bytes."""
    unpacker = zlib.decompressobj(wbits=31)  # 31: gzip
    try:
        text = unpacker.decompress(raw, _MOST_WORDS)
    except zlib.error as error:
        raise ModelError(f"{path}: damaged gzip file ({error}); {AGAIN}") from None
    if not unpacker.eof or unpacker.unused_data:
        raise ModelError(f"{path}: damaged gzip file, cut short or too long; {AGAIN}")
    return text


def write_header(path: Path, fields: Mapping[str, Any], sums: Mapping[str, str]) -> None:
    """Write the header of a folder, with the sums of its files and its own sum."""
    write_bytes(path, _header_of(fields, sums))


def _header_of(fields: Mapping[str, Any], sums: Mapping[str, str]) -> bytes:
    header = {**fields, FILES: dict(sums), OWN: _NONE.decode()}
    text = json.dumps(header, ensure_ascii=False, indent=1) + "\n"
    # A path that is not UTF-8 contains lone surrogates. backslashreplace writes them as JSON does: \udcff.
    raw = text.encode("utf-8", errors="backslashreplace")
    return _with_sum(raw, sha256(raw).hexdigest().encode())


def _with_sum(raw: bytes, own: bytes) -> bytes:
    """Replace the header's own sum by another."""
    start = len(raw) - len(b'"\n}\n') - 64
    return raw[:start] + own + raw[start + 64 :]


def rewritten_header(header: Mapping[str, Any]) -> bytes:
    """Return the bytes of a header that was read and changed, with its own sum computed again."""
    fields = {key: value for key, value in header.items() if key not in (FILES, OWN)}
    return _header_of(fields, header.get(FILES, {}))


def rewrite_header(path: Path, header: Mapping[str, Any]) -> None:
    """Replace a header that was read and changed, atomically."""
    aside = path.with_name(f".{path.name}.new")
    write_bytes(aside, rewritten_header(header))
    aside.replace(path)


def sums_in(path: Path) -> dict[str, str]:
    """Return the sums of files in a header; {} if it has none, or the file is not a header."""
    try:
        found = json.loads(path.read_bytes()).get(FILES, {})
    except (OSError, ValueError, AttributeError):
        return {}
    return dict(found) if isinstance(found, dict) else {}


class SealedFolder:
    """A sealed folder, opened for reading.

    All files are opened through one handle of the folder. So they belong together, even if another folder
    replaces it meanwhile.

    verify: compare the files' sums with those in the header. Use the object in a `with`: the sums of big
    files are computed in parallel to the work inside, and a wrong sum raises an error at its end at the
    latest. Errors: ModelError.
    """

    def __init__(self, path: Path, verify: bool = True) -> None:
        self.path, self.verify = path, verify
        self._sums: dict[str, str] | None = None
        self._waiting: dict[str, Future[str]] = {}
        self._pool: ThreadPoolExecutor | None = None
        self._handle = self._open_folder()
        self._current: bool | None = None  # the value of is_current when the handle was closed

    def _open_folder(self) -> int | None:
        if os.open not in os.supports_dir_fd:
            return None
        try:
            return os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except FileNotFoundError:
            raise ModelError(f"{self.path}: missing; {AGAIN}") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            # A wrong sum is a better message than the error that the damage caused.
            if error is None or isinstance(error, ModelError):
                self._check_waiting()
        finally:
            if self._pool is not None:
                self._pool.shutdown(cancel_futures=True)
            if self._handle is not None:
                self._current = self.is_current()  # can't be determined after the handle is closed
                os.close(self._handle)

    def is_current(self) -> bool:
        """Tell whether the path still leads to this folder, not to one that has replaced it.

        After the `with`, the answer is the one at its end.
        """
        if self._handle is None:
            return True
        if self._current is not None:
            return self._current
        try:
            return os.path.samestat(os.fstat(self._handle), self.path.stat())
        except OSError:
            return False

    def header(self, name: str) -> dict[str, Any]:
        """Read the header, check its own sum, and keep the sums of the files. Errors: ModelError."""
        path = self.path / name
        raw = bytes(self.read(name))
        try:
            value = json.loads(raw.decode("utf-8"))
        except (ValueError, RecursionError) as error:
            raise ModelError(f"{path}: damaged, not JSON ({error}); {AGAIN}") from None
        if not isinstance(value, dict):
            raise ModelError(f"{path}: damaged, expected a JSON object; {AGAIN}")
        own = _OWN_SUM.search(raw)
        if self.verify and (own or FILES in value or OWN in value):
            sums = value.get(FILES)
            right = own and sha256(_with_sum(raw, _NONE)).hexdigest().encode() == own[1]
            if not right or not isinstance(sums, dict):
                raise ModelError(
                    f"{path}: damaged or changed by hand: it is not what its own SHA-256 says; {AGAIN}"
                )
            self._sums = sums
        return value

    @property
    def summed(self) -> bool:
        """Whether the header has sums, and files are compared with them."""
        return self._sums is not None

    def checked(self, name: str) -> Bytes:
        """Return a file's bytes through a memory map, after checking its sum. Errors: ModelError."""
        raw = self.map(name)
        self._check(name, _sum_of(raw))
        return raw

    def words(self, name: str, expected: int) -> Words:
        """Read a list with one word per line. Errors: ModelError unless it has `expected` words."""
        raw = bytes(self.read(name))
        self._check(name, sha256(raw).hexdigest())
        path = self.path / name
        return words_in(_unpacked(raw, path) if path.suffix == PACKED else raw, path, expected)

    def arrays(self, name: str) -> dict[str, Array]:
        """Return the arrays of a safetensors file through a memory map.

        Its sum is computed in a thread, and compared at the end of the `with`.
        """
        raw = self.map(name)
        if self._sums is not None:
            self._pool = self._pool or ThreadPoolExecutor(2, "checksum")
            self._waiting[name] = self._pool.submit(_sum_of, raw)
        return arrays_in(raw, self.path / name)

    def _check_waiting(self) -> None:
        for name, future in self._waiting.items():
            self._check(name, future.result())
        self._waiting = {}

    def _check(self, name: str, found: str) -> None:
        if self._sums is not None and self._sums.get(name) != found:
            raise ModelError(
                f"{self.path / name}: cut short, damaged or of another model: it is not what the header's "
                f"SHA-256 says; {AGAIN}"
            )

    def sizes(self) -> dict[str, int]:
        """Return the size of each file in bytes, by name."""
        files = [file for file in sorted(self.path.iterdir()) if file.is_file()]
        return {file.name: file.stat().st_size for file in files}

    def read(self, name: str) -> Bytes:
        """Return a file's bytes. Errors: ModelError."""
        with open_regular(self.path / name, self._handle) as file:
            return file.read()

    def map(self, name: str) -> Bytes:
        """Return a file's bytes through a memory map. Errors: ModelError."""
        with open_regular(self.path / name, self._handle) as file:
            return map_file(file)


def open_regular(path: Path, folder: int | None = None) -> BinaryIO:
    """Open a regular file for reading. folder: a descriptor of its folder. Errors: ModelError."""
    # O_NONBLOCK: opening a named pipe would otherwise wait until another process writes to it.
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    try:
        name = path if folder is None else path.name
        descriptor = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise ModelError(f"{path}: missing; {AGAIN}") from None
    except OSError as error:
        raise ModelError(f"{path}: can't be read: {error.strerror}; {AGAIN}") from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise ModelError(f"{path}: found something else than a regular file; {AGAIN}")
    return open(descriptor, "rb")


def _sum_of(raw: Bytes) -> str:
    return sha256(raw).hexdigest()


def words_in(raw: bytes, path: Path, expected: int) -> Words:
    """Return the words in a file's bytes, one per line. Errors: ModelError unless there are `expected`."""
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError:
        raise ModelError(f"{path}: damaged, not UTF-8; {AGAIN}") from None
    words = Words.of_bytes(raw[: raw.rfind(b"\n") + 1])
    if len(words) != expected:
        raise ModelError(f"{path}: found {len(words):,} words, expected {expected:,}; {AGAIN}")
    return words
