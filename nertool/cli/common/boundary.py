"""The single place where an error becomes a line on stderr and an exit code."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from nertool.cli.common.streams import standard_streams, tell
from nertool.cli.common.verbosity import NORMAL, is_verbose, set_level
from nertool.errors import NertoolError, OutputError, printable, unexpected
from nertool.files.output import advice
from nertool.version import __version__


class Ended(BaseException):
    """Raised when SIGTERM or SIGHUP asks the process to end, so that unfinished files are removed."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def run_guarded(app: Callable[..., Any]) -> None:
    """Run a command line, and end the process. An error becomes one line on stderr."""
    set_level(NORMAL)
    begun = time.perf_counter()
    with _handlers(), standard_streams():
        code = _run(app)
        if is_verbose():
            tell(_effort(time.perf_counter() - begun))
    sys.exit(code)


def _effort(seconds: float) -> str:
    """Return the versions in use, the wall-clock time, and the peak memory."""
    import platform

    words = [f"nertool {__version__}", f"Python {platform.python_version()}"]
    if numpy := sys.modules.get("numpy"):
        words.append(f"numpy {numpy.__version__}")
    words.append(f"{seconds:.1f} s")
    try:
        import resource
    except ImportError:  # Windows
        return ", ".join(words)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    unit = 1 if sys.platform == "darwin" else 1024  # bytes on macOS, kilobytes elsewhere
    return ", ".join([*words, f"{most * unit / 1e6:,.0f} MB at most"])


def _run(app: Callable[..., Any]) -> int:
    """Run a command line; return its exit code."""
    try:
        # A command returns nothing, unless it ends with typer.Exit.
        code = app(standalone_mode=False) or 0
        sys.stdout.flush()
        if code == 128 + signal.SIGINT:
            _tell_interrupted("interrupted")
        return int(code)
    except NertoolError as error:
        return _fail(str(error))
    except BrokenPipeError:
        # The reader of our output has closed it (`| head`). That is no error, and nothing is left to flush.
        return 1
    except UnicodeEncodeError as error:
        found = ascii(error.object[error.start])
        return _fail(
            f"found {found}, half of a pair of surrogates, which only JSON can hold; expected text; "
            "correct the input, or choose jsonl for the output"
        )
    except OSError as error:
        return _fail(_os_error(error))
    except MemoryError:
        return _fail(f"out of memory; {_MEMORY.get(_command(), _MEMORY[''])}")
    except RecursionError as error:
        return _fail(f"found data nested too deeply ({error}); flatten it")
    except KeyboardInterrupt:
        _tell_interrupted("interrupted")
        return 128 + signal.SIGINT
    except Ended as ended:
        _tell_interrupted(f"ended by {signal.Signals(ended.number).name}")
        return 128 + ended.number
    except Exception as error:
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # wrong usage, raised by typer
            return _misused(error)
        if type(error).__name__ == "Abort":  # typer: end of input at a prompt
            return _fail("aborted")
        if is_verbose() or os.environ.get("NERTOOL_TRACEBACK"):
            for line in "".join(traceback.format_exception(error)).splitlines():
                tell(line)
        return _fail(unexpected(error))


_MEMORY = {
    "train": "set vectors.limit, network.hidden, a width or training.batch_size lower, or use --workers 1",
    "predict": "use --workers 1, or cut the text into smaller documents",
    "": "use a smaller input, or close other programs",
}
for _name in ("prepare", "sweep", "gradcheck", "distil"):
    _MEMORY[_name] = _MEMORY["train"]
_MEMORY["suspects"] = "use --workers 1, or name a --config with smaller networks"
_MEMORY["vectors"] = "take fewer words (--limit, --top or --min-count), or values (--width)"


def _command() -> str:
    """Return the name of the command; for `nertool corpus suspects` the second word."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    return words[1] if words[:1] == ["corpus"] and words[1:] else next(iter(words), "")


_when_interrupted: list[Callable[[], str]] = []


@contextmanager
def if_interrupted(say: Callable[[], str]) -> Iterator[None]:
    """Set the message for an interruption (Ctrl-C, SIGTERM, SIGHUP) of the work inside.

    `say` returns what is kept, and how to continue.
    """
    _when_interrupted.append(say)
    try:
        yield
    except (KeyboardInterrupt, Ended):
        raise  # the message is printed by the boundary
    except BaseException:
        _when_interrupted.remove(say)
        raise
    else:
        _when_interrupted.remove(say)


def _tell_interrupted(by: str) -> None:
    kept = "no half-written file was kept; run the command again"
    if _when_interrupted:
        kept = _when_interrupted[-1]()
    _when_interrupted.clear()
    tell(f"{by}; {kept}")


@contextmanager
def _handlers() -> Iterator[None]:
    """Handle SIGTERM, SIGHUP, a Ctrl-C that Python would only print, and warnings."""
    _when_interrupted.clear()
    before: dict[int, Any] = {}
    hook, show = sys.unraisablehook, warnings.showwarning
    sys.unraisablehook = _send_lost_interrupt
    warnings.showwarning = _show_warning
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # A signal that is ignored (nohup) stays ignored.
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook, warnings.showwarning = hook, show


def _end(number: int, frame: FrameType | None) -> None:
    # One signal is enough: the removal of unfinished files must not be interrupted.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise Ended(number)


def _send_lost_interrupt(lost: sys.UnraisableHookArgs, /) -> None:
    """Send a Ctrl-C or a SIGTERM again if Python could only have printed it.

    Between two steps of our code Python calls functions whose exceptions can't be propagated. Examples are
    the callbacks of a module's import lock, and the finalizers of objects.
    """
    number = signal.SIGINT
    if isinstance(lost.exc_value, Ended):
        number = signal.Signals(lost.exc_value.number)
        signal.signal(number, _end)
    elif isinstance(lost.exc_value, OutputError):
        return  # already reported where it was raised first
    elif not isinstance(lost.exc_value, KeyboardInterrupt):
        tell(f"nertool: {unexpected(lost.exc_value or RuntimeError('an object could not end'))}")
        return
    # Sent to the main thread, so that a system call in which it waits ends, too.
    main_thread = threading.main_thread().ident
    assert main_thread is not None  # it is running
    later = (
        threading.Timer(0.01, signal.pthread_kill, [main_thread, number])
        if hasattr(signal, "pthread_kill")
        else threading.Timer(0.01, signal.raise_signal, [number])
    )
    later.daemon = True
    later.start()


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    tell(f"nertool: warning: {message}")


def _misused(error: Any) -> int:
    """Print typer's message about a wrong command line."""
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the help screen
        error.show()
        return int(error.exit_code)
    error.message = printable(str(error.message or ""))
    if near := getattr(error, "possibilities", None):  # for an option that does not exist
        error.message = f"{error.message}; did you mean {next(iter(near))}?"
        error.possibilities = None
    error.show()
    return int(error.exit_code)


def _os_error(error: OSError) -> str:
    place = error.filename2 or error.filename
    if isinstance(place, bytes):
        place = os.fsdecode(place)
    text = error.strerror or str(error)
    if place is None:
        return f"{text}{advice(error)}"
    return f"{place}: {text}{advice(error)}"


def _fail(message: str) -> int:
    tell(f"nertool: {message}")
    return 1
