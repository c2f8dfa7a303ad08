"""A sealed folder as one zip file, whose members are read through a memory map.

`write_sealed_zip` stores the members without compression, each at a multiple of 64 bytes, so that their
arrays can be used without a copy. Members that another tool has compressed are decompressed into memory.
"""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from mmap import ACCESS_READ, mmap
from pathlib import Path, PurePosixPath
from typing import Any

from nertool.errors import ModelError
from nertool.files.output import open_binary_output
from nertool.files.sealed import AGAIN, Bytes, SealedFolder, open_regular

ALIGNMENT = 64  # bytes: a multiple of the size of every number type, and the size of a cache line
MOST_UNPACKED = 4 << 30  # bytes that all compressed members together may unpack to
_LOCAL_HEADER = 30  # bytes of a member's header, without its name and extra field
_PADDING_ID = (0xD935).to_bytes(
    2, "little"
)  # the extra field that Android's zipalign uses for padding
_EARLIEST = (1980, 1, 1, 0, 0, 0)  # a constant time of writing: the same files give the same bytes


def is_zip(path: Path) -> bool:
    """Tell whether a path is a zip file."""
    return path.is_file() and zipfile.is_zipfile(path)


def write_sealed_zip(path: Path, files: Mapping[str, Bytes]) -> None:
    """Write files into one uncompressed zip file, which gets its name when it is complete.

    Errors: OutputError.
    """
    with open_binary_output(path) as out, zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name, data in files.items():
            info = zipfile.ZipInfo(name, _EARLIEST)
            info.external_attr = 0o644 << 16
            # The extra field: an id, a length, and zeros up to the next multiple of ALIGNMENT.
            begin = out.tell() + _LOCAL_HEADER + len(name.encode()) + 4
            zeros = -begin % ALIGNMENT
            info.extra = _PADDING_ID + zeros.to_bytes(2, "little") + bytes(zeros)
            archive.writestr(info, data)


class SealedZip(SealedFolder):
    """A sealed folder in a zip file, opened for reading, with the interface of SealedFolder.

    The folder may be inside others in the zip, as in a zipped run folder. If the zip contains several sealed
    folders, one named `best` is preferred. Members outside the folder are ignored.
    """

    def __init__(
        self, path: Path, header: str, verify: bool = True, most_unpacked: int = MOST_UNPACKED
    ) -> None:
        """Open a zip file. header: the name of the sealed folder's header.

        Errors: ModelError for a file that is damaged, has no such header or two members of one name, or
        unpacks to more than most_unpacked bytes.
        """
        super().__init__(path, verify)
        self._file = open_regular(path)
        try:
            self._archive = zipfile.ZipFile(self._file)
            self._raw = memoryview(mmap(self._file.fileno(), 0, access=ACCESS_READ))
            self._members = self._members_beside(header, most_unpacked)
        except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
            self._file.close()
            raise ModelError(f"{path}: damaged zip file ({error}); copy it again") from None
        except ModelError:
            self._file.close()
            raise

    def _open_folder(self) -> int | None:
        return None

    def __exit__(self, *raised: Any) -> None:
        self._file.close()
        super().__exit__(*raised)

    def _members_beside(self, header: str, most_unpacked: int) -> dict[str, zipfile.ZipInfo]:
        infos = [info for info in self._archive.infolist() if not info.is_dir()]
        headers = [n for i in infos if (n := PurePosixPath(i.filename)).name == header]
        if not headers:
            raise ModelError(
                f"{self.path}: found no {header} in it, expected the zip of a model folder"
            )
        headers.sort(key=lambda name: (name.parent.name != "best", len(name.parts)))
        parent = headers[0].parent
        members: dict[str, zipfile.ZipInfo] = {}
        for info in infos:
            name = PurePosixPath(info.filename)
            if name.parent == parent and members.setdefault(name.name, info) is not info:
                raise ModelError(
                    f"{self.path}: found two members of the name {info.filename!r}, expected one; {AGAIN}"
                )
        packed = [info for info in members.values() if info.compress_type != zipfile.ZIP_STORED]
        unpacked = sum(info.file_size for info in packed)
        if unpacked > most_unpacked:
            raise ModelError(
                f"{self.path}: unpacks to {unpacked:,} bytes, expected at most {most_unpacked:,}; unpack "
                "it yourself if you trust it, and load the folder"
            )
        return members

    def is_current(self) -> bool:
        """Return True: the whole file has been mapped since it was opened, so nothing can replace it."""
        return True

    def sizes(self) -> dict[str, int]:
        """Return the size of each member in bytes, by name."""
        return {name: info.file_size for name, info in sorted(self._members.items())}

    def read(self, name: str) -> Bytes:
        """Return a member's bytes, without a copy if it is not compressed. Errors: ModelError."""
        info = self._members.get(name)
        if info is None:
            raise ModelError(f"{self.path}: found no {name} in it; {AGAIN}")
        try:
            if info.compress_type == zipfile.ZIP_STORED and not info.flag_bits & 1:
                return self._stored(info)
            return self._archive.read(info)
        except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
            raise ModelError(f"{self.path}: damaged zip file ({error}); copy it again") from None
        except RuntimeError as error:  # a member with a password
            raise ModelError(f"{self.path}: can't be read ({error}); {AGAIN}") from None

    map = read

    def _stored(self, info: zipfile.ZipInfo) -> memoryview:
        at, raw = info.header_offset, self._raw
        head = raw[at : at + _LOCAL_HEADER]
        if len(head) < _LOCAL_HEADER or bytes(head[:4]) != b"PK\3\4":
            raise zipfile.BadZipFile(f"{info.filename} has no header")
        lengths = int.from_bytes(head[26:28], "little"), int.from_bytes(head[28:30], "little")
        begin = at + _LOCAL_HEADER + sum(lengths)
        data = raw[begin : begin + info.file_size]
        if len(data) != info.file_size or info.compress_size != info.file_size:
            raise zipfile.BadZipFile(f"{info.filename} is cut short")
        if (
            self.verify and not self.summed and zlib.crc32(data) != info.CRC
        ):  # a header's own sum, or no sums at all
            raise zipfile.BadZipFile(f"{info.filename} is not what its checksum says")
        return data
