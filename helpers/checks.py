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

    When the environment variable `CLAIMS_FILE` is set, it also appends a line of JSON
    to that file: notebook, id, value, at_least, at_most, seed.

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
    # Both ranges are looked at, so that a mistake in one shows on every machine.
    full, small = _range(id, at_least, at_most), _range(id, at_least, at_most, quick)
    low, high = run.pick(full, small)
    _write(run, id, value, low, high)
    expected = _in_words(low, high)
    inside = (low is None or value >= low) and (high is None or value <= high)
    if not inside or not math.isfinite(value):
        raise ClaimError(
            f"{id} = {value:,.10g}, expected {expected}: {says}\nIf you changed "
            "something above, that is the reason. If not, restart the kernel and run "
            "all cells from the top; if it happens again, please open an issue with "
            f"this message (seed {run.seed}, {run.effort} effort)."
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
    """Checks the reader's answer now, and again when the returned function is called.

    It never raises because of a missing or wrong answer or an error in the reader's
    code, so that a notebook runs from top to bottom with its exercises unsolved.

    Args:
        name: the exercise's number, "1".
        answer: calls the reader's code and returns its result; None or `...`, alone or
            as a part, means that nothing has been written yet.
        expected: a number, a text, a bool, a list, an array, a tensor, or a tuple of
            these.
        tolerance: how far a number may be off, relative to its size (or to 1).
        mistakes: results that plausible mistakes give, each with a hint.

    Returns:
        A function that repeats the check and returns whether the answer is right. Its
        attributes `expected`, `mistakes` and `judge` are for tests: `judge(given)`
        says of any answer whether it is right, and the line that a reader would see.

    Raises:
        ValueError: `expected` or a mistake is of another kind. That is an error of the
            notebook, not of its reader.
    """
    hints = list(mistakes.items() if isinstance(mistakes, Mapping) else mistakes)
    for known in (expected, *(wrong for wrong, _ in hints)):
        if not _is_comparable(known):
            raise ValueError(f"exercise {name}: no answer can equal {known!r}.")

    def judge(given) -> tuple[bool, str]:
        if _is_open(given):
            doing = "replace the `...` and run the cell again."
            return False, f"○ Exercise {name} is open: {doing}"
        problem = _difference(given, expected, tolerance)
        if problem is None:
            return True, f"✓ Exercise {name} is right."
        for wrong, hint in hints:
            if _difference(given, wrong, tolerance) is None:
                problem = hint
        return False, f"✗ Exercise {name}: {problem}"

    def check() -> bool:
        try:
            given = answer()
        except Exception as error:
            if "ellipsis" not in str(error):
                print(f"✗ Exercise {name}: {_raised(error)}")
                return False
            given = ...  # the stub's own `...` went into a calculation
        right, message = judge(given)
        print(message)
        return right

    check.expected, check.mistakes, check.judge = expected, hints, judge
    check()
    return check


def _range(id, low, high, quick=None) -> Range:
    if quick is not None:
        if isinstance(quick, tuple | list):
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
        return f"at most {high:,.10g}"
    if high is None:
        return f"at least {low:,.10g}"
    return f"{low:,.10g} to {high:,.10g}"


def _number(value: float) -> str:
    return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"


def _is_comparable(known) -> bool:
    try:
        return _difference(known, known, 0.0) is None
    except (TypeError, ValueError):
        return False


def _is_open(given) -> bool:
    if isinstance(given, tuple | list):
        return any(_is_open(part) for part in given)
    return given is None or given is ...


def _raised(error: Exception) -> str:
    text = f"your code raised {type(error).__name__}: {error}"
    if "NoneType" in str(error):
        text += "\n  A function without `return` gives None."
    return text + "\n  Call your code in a cell of its own to see where."


def _difference(given, expected, tolerance) -> str | None:
    """Says how an answer differs from what is expected; None when it does not."""
    if isinstance(expected, str):
        right = isinstance(given, str) and given == expected
        return None if right else f"{_short(given)} is not the answer."
    if isinstance(expected, bool | np.bool_):
        if not isinstance(given, bool | np.bool_):
            dtype, shape = getattr(given, "dtype", None), getattr(given, "shape", None)
            if dtype not in (torch.bool, np.dtype(bool)) or len(shape):
                return f"the answer should be True or False, not {_short(given)}."
        return None if bool(given) == expected else f"{bool(given)} is not the answer."
    if isinstance(expected, tuple) or _holds_text(expected):
        parts = list(given) if _has_parts(given) else None
        if parts is None or len(parts) != len(expected):
            return f"the answer should have {len(expected)} parts."
        for i, (part, right) in enumerate(zip(parts, expected, strict=True), start=1):
            if problem := _difference(part, right, tolerance):
                return f"part {i}: {problem}"
        return None
    expected = _array(expected)
    try:
        given = _array(given)
    except (TypeError, ValueError):
        return f"the answer should be a number or an array, not {_short(given)}."
    if given.shape != expected.shape:
        return f"the answer has the shape {given.shape}, it should be {expected.shape}."
    with np.errstate(invalid="ignore"):  # infinity minus infinity
        near = np.abs(given - expected) <= tolerance * np.maximum(1.0, np.abs(expected))
    near &= np.isfinite(expected)
    # NaN stands among the mistakes, as what a logarithm of zero leads to.
    near |= (given == expected) | (np.isnan(given) & np.isnan(expected))
    if near.all():
        return None
    if given.ndim == 0:
        return f"{given:.6g} is not the answer."
    return f"{np.mean(~near):.0%} of the values are wrong."


def _has_parts(given) -> bool:
    if isinstance(given, np.ndarray | torch.Tensor):
        return given.ndim > 0
    return isinstance(given, tuple | list)


def _holds_text(expected) -> bool:
    return isinstance(expected, list) and any(isinstance(e, str) for e in expected)


def _short(value) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"a {type(value).__name__}"


def _array(value) -> np.ndarray:
    if isinstance(value, torch.Tensor):
        value = value.detach().cpu().double().numpy()
    if isinstance(value, tuple | list):
        value = [_array(part) for part in value]
    if np.asarray(value).dtype.kind not in "buif":
        raise TypeError("not a number")
    return np.asarray(value, dtype=np.float64)
