"""Completion of commands, options, their values and config keys in bash, zsh and fish.

The shell calls nertool with the typed line in _NERTOOL_LINE and its own name in _NERTOOL_COMPLETE. nertool
prints the possible words, one per line. If there are none, the shell completes file names.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

from nertool.errors import NertoolError

VARIABLE = "_NERTOOL_COMPLETE"
LINE = "_NERTOOL_LINE"

SCRIPTS = {
    "bash": """\
_nertool_completion() {
    local IFS=$'\\n'
    COMPREPLY=($(_NERTOOL_COMPLETE=bash _NERTOOL_LINE="${COMP_LINE:0:COMP_POINT}" $1 2>/dev/null))
    # A key of the config is followed by its value, without a blank.
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null
    return 0
}
complete -o default -F _nertool_completion nertool
""",
    "zsh": """\
#compdef nertool
_nertool() {
    local -a found
    local line="${(j: :)${(@)words[1,CURRENT]}}"
    found=("${(@f)$(_NERTOOL_COMPLETE=zsh _NERTOOL_LINE="$line" ${words[1]} 2>/dev/null)}")
    if [[ -z "${found[1]}" ]]; then
        _files
    elif [[ "${found[1]}" == *= ]]; then
        compadd -S '' -- $found
    else
        compadd -- $found
    fi
}
if [[ "${funcstack[1]}" == _nertool ]]; then
    _nertool "$@"
else
    compdef _nertool nertool
fi
""",
    "fish": """\
function __nertool_completion
    env _NERTOOL_COMPLETE=fish _NERTOOL_LINE=(commandline -cp) (commandline -opc)[1] 2>/dev/null
end
complete --command nertool --arguments '(__nertool_completion)'
""",
}


def print_candidates(root: Any, shell: str, line: str) -> None:
    """Print the possible words at the end of a line, for a shell."""
    words, incomplete = divide(line)
    start = 0
    if shell == "bash" and "=" in incomplete:  # bash takes the text behind "=" for a new word
        start = incomplete.rindex("=") + 1
    for word in candidates(root, words[1:], incomplete):
        print(word[start:])


def divide(line: str) -> tuple[list[str], str]:
    """Split a line into its complete words and the word that is being typed, without quotes."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars=False)
    lexer.whitespace_split = True
    lexer.commenters = ""
    words: list[str] = []
    try:
        words += lexer
    except ValueError:  # a quote that is still open
        words = line.replace('"', "").replace("'", "").split()
    if line[-1:].isspace() or not words:
        return words, ""
    return words[:-1], words[-1]


def candidates(root: Any, words: list[str], incomplete: str) -> list[str]:
    """Return the possible words after `words` that start with `incomplete`, in order."""
    command, awaited, options_end = root, None, False
    for word in words:
        if awaited is not None:
            awaited = None
        elif word == "--":
            options_end = True
        elif word.startswith("-") and not options_end:
            name, equals, _ = word.partition("=")
            option = _options(command).get(name)
            awaited = option if option is not None and not option.is_flag and not equals else None
        elif hasattr(command, "commands"):
            command = command.commands.get(word)
            if command is None:
                return []
    name, equals, value = incomplete.partition("=")
    if awaited is not None:
        found = list(values_of(awaited, incomplete))
    elif incomplete.startswith("-") and not options_end:
        option = _options(command).get(name) if equals else None
        found = (
            [f"{name}={word}" for word in values_of(option, value)]
            if option is not None
            else [w for w in _options(command) if w.startswith("--")]
        )
    else:
        found = list(getattr(command, "commands", ()))
    return [word for word in found if word.startswith(incomplete)]


def _options(command: Any) -> dict[str, Any]:
    """Return a command's options by all of their names."""
    options = [p for p in command.params if p.param_type_name == "option" and not p.hidden]
    found = {name: option for option in options for name in (*option.opts, *option.secondary_opts)}
    return {**found, "--help": _HELP, "-h": _HELP}


class _Flag:
    is_flag = True
    metavar = None


_HELP = _Flag()


def values_of(option: Any, incomplete: str) -> Iterator[str]:
    """Yield the possible values of an option, if they are few: its choices, or config keys."""
    if "--set" in getattr(option, "opts", ()):
        yield from _settings(incomplete)
        return
    for word in (option.metavar or "").split("|"):
        if re.fullmatch(r"[a-z][a-z0-9-]*", word):
            yield word


def _settings(incomplete: str) -> Iterator[str]:
    """Yield config keys with an equals sign; after an equals sign, the values of the key."""
    from nertool.config.values import choices, key_types

    name, equals, _ = incomplete.partition("=")
    types = key_types()
    if not equals:
        yield from (f"{key}=" for key in types)
    elif name in types:
        flags = ("true", "false") if _is_flag(types[name]) else ()
        yield from (f"{name}={value}" for value in choices(types[name]) or flags)


def _is_flag(hint: Any) -> bool:
    return getattr(hint, "__origin__", hint) is bool


def show(asked: bool) -> None:
    """Print the script that enables completion in the shell that nertool was called from, and exit."""
    if asked:
        print(SCRIPTS[_shell()], end="")
        raise typer.Exit


def install(asked: bool) -> None:
    """Write the completion script to where the shell reads it, and exit."""
    if not asked:
        return
    from nertool.cli.common.options import note

    shell = _shell()
    home = Path.home()
    path, start = {
        "bash": (home / ".bash_completions" / "nertool.sh", home / ".bashrc"),
        "zsh": (home / ".zfunc" / "_nertool", home / ".zshrc"),
        "fish": (home / ".config" / "fish" / "completions" / "nertool.fish", None),
    }[shell]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SCRIPTS[shell], encoding="utf-8")
    note(f"{path}: completion for {shell} is installed")
    if start is not None:
        line = (
            f"source {shlex.quote(str(path))}"
            if shell == "bash"
            else "fpath+=~/.zfunc; autoload -Uz compinit; compinit"
        )
        if _add_line(start, line):
            note(f"{start}: it is turned on by a line at the end")
    note("it works in every shell that is started from now on")
    raise typer.Exit


def _add_line(path: Path, line: str) -> bool:
    """Append a line to a shell's start file, unless it is there. A symbolic link is kept."""
    text = path.read_text(encoding="utf-8", errors="surrogateescape") if path.exists() else ""
    if line in text.splitlines():
        return False
    with open(path, "a", encoding="utf-8") as file:
        file.write(f"{'' if not text or text.endswith(chr(10)) else chr(10)}{line}\n")
    return True


def _shell() -> str:
    """Return the name of the shell that nertool was called from, or else the one in $SHELL."""
    found = ""
    try:
        import shellingham

        found = shellingham.detect_shell()[0]
    except Exception:  # shellingham is missing, or no parent process is a shell
        pass
    if found not in SCRIPTS:
        found = Path(os.environ.get("SHELL", "")).name
    if found not in SCRIPTS:
        raise NertoolError(
            f"completion: found the shell {found or '(unknown)'}, expected one of "
            f"{', '.join(SCRIPTS)}; call nertool from one of these, or set SHELL to its name"
        )
    return found
