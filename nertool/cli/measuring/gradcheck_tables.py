"""The tables of `nertool gradcheck`: errors, seeded mistakes and Jacobians."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nertool.gradcheck.case import Verdict
    from nertool.gradcheck.check import Comparison
    from nertool.gradcheck.jacobians import Jacobian
    from nertool.gradcheck.selfcheck import Caught


def show_blocks(verdict: Verdict) -> None:
    """Print a row for each block of parameters, with a column for each method."""
    from nertool.gradcheck.check import METHODS

    network = f"{verdict.network}: " if verdict.network else ""
    print(
        f"{network}{verdict.activation}, {verdict.output}: relative error ‖a − n‖ / (‖a‖ + ‖n‖) of the"
    )
    print("gradients by hand, a, against the slopes n that small steps of J show, in float64\n")
    print(f"{'block':12}{'central':>9} {'(best ε)':9}{'complex':>9}   {'directions: central':>19}"
          f"{'complex':>9}   compared")  # fmt: skip
    for check in verdict.checks:
        central, by_complex, along, along_complex = (check.methods.get(m) for m in METHODS)
        best = f"({central.eps:.0e})" if central else ""
        compared = f"{central.compared} + {along.compared}" if central and along else ""
        print(
            f"{check.block:12}{_error(central):>9} {best:9}{_error(by_complex):>9}   "
            f"{_error(along):>19}{_error(along_complex):>9}   {compared}"
        )
    _show_faults(verdict)
    for check in verdict.checks:
        for comparison in check.methods.values():
            if comparison.kinks:
                places = ", ".join(_place(check.block, place) for place in comparison.kinks[:3])
                more = ", …" if len(comparison.kinks) > 3 else ""
                print(
                    f"  {len(comparison.kinks)} left out of {check.block}'s {comparison.method}: "
                    f"±ε crosses a kink of {verdict.activation}: {places}{more}"
                )
    print()


def _error(comparison: Comparison | None) -> str:
    if comparison is None:
        return ""
    return f"{comparison.error:.1e}" if comparison.compared else "kinks"


def _place(block: str, place: tuple[int, ...]) -> str:
    from nertool.gradcheck.check import ALL

    return f"direction {place[0]}" if block == ALL else f"{block}[{', '.join(map(str, place))}]"


def _show_faults(verdict: Verdict) -> None:
    for check in verdict.checks:
        if check.passed and not check.warned:
            continue
        word = "warning" if check.passed else "FAILED"
        if not any(c.compared for c in check.methods.values()):
            print(f"  {word}: {check.block}: nothing could be compared: every step crosses a kink")
            continue
        for comparison in check.methods.values():
            if not comparison.passed:
                worst = (
                    f"in direction {comparison.worst[0]}"
                    if comparison.method.startswith("directional")
                    else f"at {_place(check.block, comparison.worst)}"
                )
                print(
                    f"  {word}: {check.block}: {comparison.error:.1e} by {comparison.method}; worst {worst}"
                )


def show_others(verdicts: list[Verdict]) -> None:
    """Print a row with the worst block for each activation and loss other than the config's own."""
    from nertool.gradcheck.check import METHODS

    if not verdicts:
        return
    print("With the other activations and losses, the largest error of all blocks:\n")
    print(f"{'f':10} {'output':9}" + "".join(f"{method:>{len(method) + 2}}" for method in METHODS))
    for verdict in verdicts:
        cells = ""
        for method in METHODS:
            errors = [c.methods[method].error for c in verdict.checks if method in c.methods]
            cells += f"{max(errors):{len(method) + 2}.1e}"
        print(f"{verdict.activation:10} {verdict.output:9}{cells}")
        _show_faults(verdict)
    print()


def show_sum(verdicts: list[Verdict], passed: bool) -> None:
    """Print the last line: how much was compared, what was left out, and whether everything passed."""
    from nertool.gradcheck.check import FAIL, METHODS, WARN

    comparisons = [
        c for verdict in verdicts for check in verdict.checks for c in check.methods.values()
    ]
    counts = {m: sum(c.compared for c in comparisons if c.method == m) for m in METHODS}
    kinks = sum(len(c.kinks) for c in comparisons)
    left_out = f"; {kinks} left out at a kink of f" if kinks else ""
    warned = sum(check.warned for verdict in verdicts for check in verdict.checks)
    warnings = f"; {warned} blocks with a warning" if warned else ""
    print(
        f"{'passed' if passed else 'FAILED'}: {counts['central']:,} coordinates and "
        f"{counts['directional']:,} directions compared{left_out}{warnings}; "
        f"an error of {FAIL:g} fails, of {WARN:g} warns"
    )


def show_mistakes(caught: list[Caught], network: str) -> None:
    """Print a row for each mistake: the methods that caught it, and the size of its error."""
    from nertool.gradcheck.check import FAIL, METHODS

    if network:
        print(f"{network}:")
    print(
        "Mistakes put into the backward pass, one at a time (with dropout and L2 switched on): the"
    )
    print(f"largest relative error that each method finds; {FAIL:g} and more is caught (*)\n")
    print(
        f"{'mistake':30}"
        + "".join(f"{method:>{len(method) + 3}}" for method in METHODS)
        + "   spoiled"
    )
    for found in caught:
        if found.harmless:
            print(f"{found.mistake.name:30}  no mistake here: {found.harmless}")
            continue
        cells = ""
        for method in METHODS:
            error = found.errors[method]
            mark = "*" if not error < FAIL else " "
            cells += f"{error:{len(method) + 2}.1e}{mark}"
        blocks = ", ".join(found.blocks)
        print(f"{found.mistake.name:30}{cells}   {blocks or 'NOT CAUGHT'}")
    missed = [found for found in caught if not (found.caught or found.harmless)]
    made = sum(not found.harmless for found in caught)
    print(f"\n{'FAILED' if missed else 'passed'}: {made - len(missed)} of {made} mistakes caught\n")


def show_jacobians(tables: list[Jacobian], activation: str) -> None:
    """Print each Jacobian twice: computed by hand, and numerically."""
    print(
        "Each Jacobian of the mathematics, by hand (from the code that trains) and numerically, on a"
    )
    print(f"small network that was cut from this one (f is {activation}):")
    for table in tables:
        m, n = table.by_hand.shape
        note = f"; {table.note}" if table.note else ""
        print(f"\n{table.name}   ({m} × {n}), largest difference {table.difference:.1e}{note}")
        for title, array in (("by hand", table.by_hand), ("numeric", table.numeric)):
            for i, row in enumerate(array):
                cells = " ".join(f"{value + 0.0:8.4f}" for value in row)
                print(f"  {title if i == 0 else '':8} {cells}")
    passed = all(table.passed for table in tables)
    print(f"\n{'passed' if passed else 'FAILED'}: {len(tables)} Jacobians compared")
