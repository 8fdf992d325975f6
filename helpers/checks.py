"""Every notebook checks its results with `claim`, and its exercises with `exercise`, so
that a reader sees at once whether his own run is right."""

import json
import math
import os
from collections.abc import Callable, Mapping

import numpy as np
import torch

from helpers import runtime

Range = tuple[float | None, float | None]


class ClaimError(AssertionError):
    """A result lies outside the range in which every honest run was found."""


def claim(
    id: str,
    value: float,
    *,
    at_least: float | None = None,
    at_most: float | None = None,
    quick: float | Range | None = None,
    says: str,
) -> None:
    """Checks a result against its expected range and prints one line about it.

    When the environment variable `CLAIMS_FILE` is set, it also appends a line of JSON to
    that file: notebook, id, value, at_least, at_most, seed.

    Args:
        id: a name in snake_case, unique over the series.
        value: the result that a cell has just computed.
        at_least, at_most: the expected range; one of them may be left out.
        quick: the range at quick effort: one number replaces the only bound that is
            given, a pair (at_least, at_most) replaces both.
        says: what the result means, in a few words.

    Raises:
        ClaimError: the value is outside the range.
        ValueError: there is no range, or it is upside down.
    """
    value = float(value)
    run = runtime.current()
    low, high = _range(id, at_least, at_most, quick if run.effort == "quick" else None)
    _write(run, id, value, low, high)
    expected = _in_words(low, high)
    inside = (low is None or value >= low) and (high is None or value <= high)
    if not inside or not math.isfinite(value):
        raise ClaimError(
            f"{id} = {_number(value)}, expected {expected}: {says}\nIf you changed "
            "something above, that is the reason. If not, restart the kernel and run all "
            "cells from the top; if it happens again, please open an issue with this "
            f"message (seed {run.seed}, {run.effort} effort)."
        )
    print(f"✓ {id} = {_number(value)} (expected {expected}): {says}")


def exercise(
    name: str,
    answer: Callable[[], object],
    expected,
    *,
    tolerance: float = 1e-6,
    mistakes: Mapping[object, str] | list[tuple[object, str]] = (),
) -> Callable[[], bool]:
    """Checks the reader's answer now, and again whenever the returned function is called.

    It never raises because of a missing or wrong answer, so that a notebook runs from top
    to bottom with its exercises unsolved.

    Args:
        name: the exercise's number, "1".
        answer: calls the reader's code and returns its result; None or `...` means that
            nothing has been written yet.
        expected: a number, a text, a list, an array, a tensor, or a tuple of these.
        tolerance: how far a number may be off, relative to its size (or to 1).
        mistakes: results that plausible mistakes give, each with a hint.

    Returns:
        A function that repeats the check and returns whether the answer is right.
    """
    hints = list(mistakes.items() if isinstance(mistakes, Mapping) else mistakes)

    def check() -> bool:
        given = answer()
        if given is None or given is ...:
            print(f"○ Exercise {name} is open: replace the `...` and run this cell again.")
            return False
        problem = _difference(given, expected, tolerance)
        if problem is None:
            print(f"✓ Exercise {name} is right.")
            return True
        for wrong, hint in hints:
            if _difference(given, wrong, tolerance) is None:
                problem = hint
        print(f"✗ Exercise {name}: {problem}")
        return False

    check.expected, check.mistakes = expected, hints
    check()
    return check


def _range(id, low, high, quick) -> Range:
    if quick is not None:
        if isinstance(quick, tuple):
            low, high = quick
        elif low is None:
            high = quick
        elif high is None:
            low = quick
        else:
            raise ValueError(f"{id}: two bounds need two for `quick` as well.")
    if low is None and high is None:
        raise ValueError(f"{id}: a claim needs at_least or at_most.")
    if low is not None and high is not None and low > high:
        raise ValueError(f"{id}: at_least {low} lies above at_most {high}.")
    return low, high


def _write(run, id, value, low, high) -> None:
    path = os.environ.get("CLAIMS_FILE")
    if not path:
        return
    record = dict(notebook=run.notebook, id=id, value=value)
    record |= dict(at_least=low, at_most=high, seed=run.seed)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def _in_words(low, high) -> str:
    if low is None:
        return f"at most {high:g}"
    if high is None:
        return f"at least {low:g}"
    return f"{low:g} to {high:g}"


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _difference(given, expected, tolerance) -> str | None:
    """Says how an answer differs from what is expected; None when it does not."""
    if isinstance(expected, str | bool):
        return None if given == expected else f"{given!r} is not the answer."
    if isinstance(expected, tuple):
        if not isinstance(given, tuple | list) or len(given) != len(expected):
            return f"the answer should have {len(expected)} parts."
        pairs = zip(given, expected, strict=True)
        found = (_difference(g, e, tolerance) for g, e in pairs)
        return next((problem for problem in found if problem), None)
    try:
        given, expected = _array(given), _array(expected)
    except (TypeError, ValueError):
        return f"the answer should be a number or an array, not {type(given).__name__}."
    if given.shape != expected.shape:
        return f"the answer has the shape {given.shape}, it should be {expected.shape}."
    off = np.abs(given - expected) / np.maximum(1.0, np.abs(expected))
    if not off.size or np.all(off <= tolerance):  # a NaN compares false, so it is wrong
        return None
    if given.ndim == 0:
        return f"{given:.6g} is not the answer."
    return f"{np.mean(~(off <= tolerance)):.0%} of the values are wrong."


def _array(value) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().numpy()
    return np.asarray(value, dtype=np.float64)
