"""Every notebook checks its results with `claim`, and its exercises with `exercise`, so
that a reader sees at once whether his own run is right."""

import json
import math
import os
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from helpers import runtime

Range = tuple[float | None, float | None]
HOW_MANY = "no one two three four five six seven eight nine ten".split()


class ClaimError(AssertionError):
    """A result lies outside the range in which every honest run was found."""


def claim(id: str, value: float) -> None:
    """Checks a result against the range that `expected.toml` gives and prints one line.

    What the number is, its range and what other seeds gave stand there in the table
    `id`: `says`, `at_least`, `at_most`, `quick` (the range at quick effort, where it is
    another one), `seen` (written by `tools/benchmark.py`), and `chance = false` where
    no random number enters, so that nothing is said of seeds. A smoke run trains
    nothing, so it is not judged; neither is a value where no file `expected.toml` is
    found.

    When the environment variable `CLAIMS_FILE` is set, it also appends a line of JSON
    to that file: notebook, id, value, at_least, at_most, seed, effort.

    Args:
        id: a name in snake_case, unique over the series.
        value: the result that a cell has just computed.

    Raises:
        ClaimError: the value is outside the range.
        ValueError: the id or its range is missing, or the range is upside down.
    """
    value = float(value)
    run = runtime.current()
    path = expected_file()
    if path is None:
        _write(run, id, value, (None, None))
        print(f"· {id}: {_numbers([value])[0]} (no expected.toml: not judged)")
        return
    entry = read_expected(path).get(id)
    if entry is None:
        raise ValueError(f"The claim {id!r} has no table in {path}.")
    # Both ranges are looked at, so that a mistake in one shows on every machine.
    full, quick = expected_range(id, entry), expected_range(id, entry, quick=True)
    low, high = run.pick(full, quick)
    _write(run, id, value, (low, high))
    says, expected = entry["says"], f"expected: {_in_words(low, high)}"
    inside = (low is None or value >= low) and (high is None or value <= high)
    judged = run.effort != "smoke"
    if judged and not (inside and math.isfinite(value)):
        raise ClaimError(
            f"{says}: {value:,.10g} ({expected})\nIf you changed something above, that "
            "is the reason. If not, restart the kernel and run all cells from the top; "
            "if it happens again, please open an issue with this message "
            f"(claim {id}, seed {run.seed}, {run.effort} effort)."
        )
    seen = entry.get("seen") if run.effort == "full" else None
    limits = [limit for limit in (low, high) if limit is not None]
    others = [seen["least"], seen["most"]] if seen else []
    shown, *others = _numbers([value, *others], limits)
    if not judged:
        expected = "smoke run: not judged"
    elif seen:
        count = seen["seeds"]
        count = HOW_MANY[count] if count < len(HOW_MANY) else count
        least, most = others
        others = f"always {least}" if least == most else f"{least} to {most}"
        expected = f"{count} seeds: {others}"
    if judged and not entry.get("chance", True):
        print(f"✓ {says}: {shown}")
    else:
        print(f"{'✓' if judged else '·'} {says}: {shown} ({expected})")


def expected_file() -> Path | None:
    """The file `expected.toml`; None where somebody has one notebook alone."""
    return runtime.course_file("expected.toml")


def read_expected(path: Path) -> dict[str, dict]:
    """The tables of a file `expected.toml`, by the ids of their claims.

    Raises:
        ValueError: the file is no TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None


def expected_range(id: str, entry: Mapping, quick: bool = False) -> Range:
    """The limits (at_least, at_most) of a table of `expected.toml`; one may be None.

    Args:
        quick: at quick effort, where the table `quick` replaces both limits.

    Raises:
        ValueError: there is no limit, or the range is upside down.
    """
    limits = entry.get("quick", entry) if quick else entry
    low, high = limits.get("at_least"), limits.get("at_most")
    if low is None and high is None:
        raise ValueError(f"{id}: a claim needs at_least or at_most.")
    if low is not None and high is not None and low > high:
        raise ValueError(f"{id}: at_least {low} lies above at_most {high}.")
    return low, high


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


def _write(run, id, value, limits) -> None:
    path = os.environ.get("CLAIMS_FILE")
    if not path:
        return
    record = dict(notebook=run.notebook, id=id, value=value)
    record |= dict(at_least=limits[0], at_most=limits[1])
    record |= dict(seed=run.seed, effort=run.effort)
    with open(path, "a", encoding="utf-8") as file:
        file.write(json.dumps(record) + "\n")


def _in_words(low, high) -> str:
    if low is None:
        return f"at most {high:,.10g}"
    if high is None:
        return f"at least {low:,.10g}"
    if low == high:
        return f"exactly {low:,.10g}"
    return f"{low:,.10g} to {high:,.10g}"


def _numbers(values: list[float], limits: list[float] = ()) -> list[str]:
    """Numbers as texts with the same decimals: three digits of the largest are shown,
    and no fewer decimals than the limits have."""
    largest = max((abs(v) for v in values if math.isfinite(v)), default=0.0)
    if largest >= 1e9 or 0 < largest < 1e-3:
        return [f"{value:.3g}" for value in values]
    decimals = 0
    if any(value != round(value) for value in values if math.isfinite(value)):
        written = [f"{limit:.10f}".rstrip("0") for limit in limits]
        needed = [len(text.partition(".")[2]) for text in written]
        decimals = max(0, 2 - math.floor(math.log10(largest)))
        decimals = max(decimals, *(n for n in needed if n <= 4), 0)
    # A limit that was written with five digits must not round otherwise than its value.
    values = [float(f"{value:.6g}") for value in values]
    return [f"{value:,.{decimals}f}" for value in values]


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
