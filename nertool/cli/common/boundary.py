"""The one place where an error becomes a line on stderr and an exit code."""

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
    """The process was asked to end by SIGTERM or SIGHUP: what is half-written is to be removed."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def run_guarded(app: Callable[..., Any]) -> None:
    """Run a command line, and end the process: one line on stderr for whatever ended it early."""
    set_level(NORMAL)
    begun = time.perf_counter()
    with _handlers(), standard_streams():
        code = _run(app)
        if is_verbose():
            tell(_effort(time.perf_counter() - begun))
    sys.exit(code)


def _effort(seconds: float) -> str:
    """Return the versions that the work was done with, its time, and the most memory that it took."""
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
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, kilobytes elsewhere
    return ", ".join([*words, f"{most * unit / 1e6:,.0f} MB at most"])


def _run(app: Callable[..., Any]) -> int:
    """Run a command line; return its exit code."""
    try:
        # What a command returns is nothing, unless it left by typer.Exit.
        code = app(standalone_mode=False) or 0
        sys.stdout.flush()
        if code == 128 + signal.SIGINT:
            _tell_interrupted("interrupted")
        return int(code)
    except NertoolError as error:
        return _fail(str(error))
    except BrokenPipeError:
        # Whoever read our output has had enough (`| head`): no fault, and nothing left to flush to.
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
        if hasattr(error, "show") and hasattr(error, "exit_code"):  # misuse, told by typer
            return _misused(error)
        if type(error).__name__ == "Abort":  # typer, at the end of an input that it asked for
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
    """Return the name of the command, of `nertool corpus suspects` the second."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    return words[1] if words[:1] == ["corpus"] and words[1:] else next(iter(words), "")


_when_interrupted: list[Callable[[], str]] = []


@contextmanager
def if_interrupted(say: Callable[[], str]) -> Iterator[None]:
    """During the work inside, let `say` tell what is kept, and how to go on, should the user or the
    system end it (Ctrl-C, SIGTERM, SIGHUP)."""
    _when_interrupted.append(say)
    try:
        yield
    except (KeyboardInterrupt, Ended):
        raise  # and leave what is to be said to the boundary
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
    """Hear of SIGTERM and SIGHUP, of a Ctrl-C that Python could only print, and of warnings."""
    _when_interrupted.clear()
    before: dict[int, Any] = {}
    hook, show = sys.unraisablehook, warnings.showwarning
    sys.unraisablehook = _send_lost_interrupt
    warnings.showwarning = _show_warning
    if threading.current_thread() is threading.main_thread():
        for name in ("SIGTERM", "SIGHUP"):
            number = getattr(signal, name, None)
            # One that is ignored (nohup) stays so.
            if number is not None and signal.getsignal(number) == signal.SIG_DFL:
                before[number] = signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        sys.unraisablehook, warnings.showwarning = hook, show


def _end(number: int, frame: FrameType | None) -> None:
    # Once is enough: what is half-written must be removed in peace.
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    raise Ended(number)


def _send_lost_interrupt(lost: sys.UnraisableHookArgs, /) -> None:
    """Send a Ctrl-C or a SIGTERM once more where Python could only have printed it.

    It calls some functions of its own between any two steps of ours, to which nothing that they
    raise can be returned: those of a module's lock while it is imported, or of an object that ends.
    """
    number = signal.SIGINT
    if isinstance(lost.exc_value, Ended):
        number = signal.Signals(lost.exc_value.number)
        signal.signal(number, _end)
    elif isinstance(lost.exc_value, OutputError):
        return  # said already, where it was first met
    elif not isinstance(lost.exc_value, KeyboardInterrupt):
        tell(f"nertool: {unexpected(lost.exc_value or RuntimeError('an object could not end'))}")
        return
    # To the main thread itself, so that a call of the system in which it waits ends, too.
    main_thread = threading.main_thread().ident
    assert main_thread is not None  # it runs
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
    """Show what typer has to say about a wrong command line."""
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the help screen
        error.show()
        return int(error.exit_code)
    error.message = printable(str(error.message or ""))
    if near := getattr(error, "possibilities", None):  # of an option that does not exist
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
