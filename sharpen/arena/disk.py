"""Writing that survives: files that appear whole or not at all, lines added whole, and one writer at a time."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from sharpen.core.errors import InvalidInput, SharpenError


def replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Puts what `write` writes in the place of a file, at once; raises OSError and leaves the old one as it was."""
    draft = path.with_name(f".{path.name}.draft")
    try:
        with draft.open("wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def append(path: Path, line: bytes) -> None:
    """Adds a line to a file, wholly or not at all; raises OSError."""
    with path.open("ab", buffering=0) as file:
        whole = file.seek(0, os.SEEK_END)
        try:
            rest = line
            while rest:
                rest = rest[file.write(rest) :]
            os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                file.truncate(whole)
            raise
    if whole == 0:
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    """A new name is safe only when its folder is written too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def locked(folder: Path) -> BinaryIO:
    """Keeps others from writing to a folder while the file is open; a process that dies leaves no lock behind. Raises
    InvalidInput where another holds it."""
    file = (folder / "lock").open("a+b")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        file.seek(0)
        holder = file.read(20).decode(errors="replace").strip()
        file.close()
        if not isinstance(error, BlockingIOError):
            raise
        raise InvalidInput(
            f"expected to be alone in {folder}, got process {holder} writing to it; wait or end it"
        ) from error
    file.truncate(0)
    file.write(str(os.getpid()).encode())
    file.flush()
    return file


@contextmanager
def in_a_sentence(doing: str) -> Iterator[None]:
    """Says what could not be done where the disk refuses (full, read-only, gone)."""
    try:
        yield
    except OSError as error:
        reason = error.strerror or str(error)
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        advice = "make room and resume" if full else "mend that or choose another folder"
        raise SharpenError(
            f"could not {doing}: {reason}; all that was written before is intact, so {advice}"
        ) from error
