"""Claims hold or stop the notebook; exercises answer in words and never stop it."""

import json
import math

import numpy as np
import pytest
import torch

from helpers import checks, runtime
from helpers.checks import ClaimError, claim, exercise


@pytest.fixture(autouse=True)
def effort(monkeypatch):
    """Sets the effort of this process: effort("quick")."""
    monkeypatch.delenv("CLAIMS_FILE", raising=False)

    def choose(name):
        run = runtime.Run("05_test", 4, torch.device("cpu"), 1, torch.float32, name)
        monkeypatch.setattr(runtime, "_current", run)

    choose("full")
    return choose


@pytest.mark.parametrize(
    ("value", "bounds", "expected"),
    [
        (3.1, dict(at_most=3.2), "at most 3.2"),
        (3.2, dict(at_most=3.2), "at most 3.2"),
        (3.2, dict(at_least=3.2), "at least 3.2"),
        (0.0, dict(at_least=-1, at_most=0), "-1 to 0"),
        (2, dict(at_least=2, at_most=2), "2 to 2"),
        (1234567, dict(at_least=1234567), "at least 1,234,567"),
        (1e-7, dict(at_most=1e-6), "at most 1e-06"),
        (torch.tensor(3.0), dict(at_most=3), "at most 3"),
        (np.float32(3.0), dict(at_most=3), "at most 3"),
        (True, dict(at_least=1), "at least 1"),
    ],
)
def test_a_claim_that_holds(capsys, value, bounds, expected):
    claim("some_id", value, **bounds, says="it is so")
    out = capsys.readouterr().out
    assert out.startswith("✓ some_id = ")
    assert out.endswith(f" (expected {expected}): it is so\n") and out.count("\n") == 1


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3.14159, "3.142"),
        (12345.6, "12,346"),
        (-0.5, "-0.5"),
        (0, "0"),
        (1e-9, "1e-09"),
    ],
)
def test_the_number_is_short(capsys, value, shown):
    claim("some_id", value, at_least=-1, says="it is so")
    assert capsys.readouterr().out.startswith(f"✓ some_id = {shown} (")


@pytest.mark.parametrize(
    ("value", "bounds"),
    [
        (3.3, dict(at_most=3.2)),
        (math.nextafter(3.2, 4), dict(at_most=3.2)),
        (3.1, dict(at_least=3.2)),
        (5, dict(at_least=1, at_most=4)),
        (0, dict(at_least=1, at_most=4)),
        (math.nan, dict(at_most=3.2)),
        (math.nan, dict(at_least=3.2)),
        (math.inf, dict(at_least=3.2)),
        (-math.inf, dict(at_most=3.2)),
        (1, dict(at_most=math.nan)),
    ],
)
def test_a_claim_that_fails(capsys, value, bounds):
    with pytest.raises(ClaimError):
        claim("some_id", value, **bounds, says="it is so")
    assert capsys.readouterr().out == ""


def test_the_error_says_what_and_what_to_do():
    with pytest.raises(AssertionError) as error:
        claim("ae_sse", 3.20004, at_most=3.2, says="30 numbers suffice")
    text = str(error.value)
    assert text.startswith(
        "ae_sse = 3.20004, expected at most 3.2: 30 numbers suffice\n"
    )
    assert "restart the kernel and run all cells" in text
    assert "seed 4, full effort" in text


def test_quick_replaces_the_range(effort):
    def quick_only(value, quick, **bounds):
        effort("full")
        with pytest.raises(ClaimError):
            claim("some_id", value, **bounds, quick=quick, says="it is so")
        effort("quick")
        claim("some_id", value, **bounds, quick=quick, says="it is so")

    quick_only(97, 101, at_most=93)
    quick_only(80, 70, at_least=90)
    quick_only(5, (4, 6), at_least=1, at_most=2)
    quick_only(5, [4, 6], at_least=1, at_most=2)
    quick_only(5, (4, None), at_least=1, at_most=2)
    with pytest.raises(ClaimError, match="expected at most 101"):
        claim("some_id", 102, at_most=93, quick=101, says="it is so")
    with pytest.raises(ClaimError, match="quick effort"):
        claim("some_id", 1.5, at_least=1, at_most=2, quick=(4, 6), says="it is so")


@pytest.mark.parametrize("name", ["full", "quick"])
@pytest.mark.parametrize(
    ("bounds", "says"),
    [
        (dict(), "needs at_least or at_most"),
        (dict(at_least=2, at_most=1), "lies above"),
        (dict(at_least=1, at_most=2, quick=3), "two bounds need two"),
        (dict(at_least=1, quick=(4, 3)), "lies above"),
        (dict(at_least=1, quick=(None, None)), "needs at_least or at_most"),
        (dict(quick=3), "needs at_least or at_most"),
    ],
)
def test_a_range_that_cannot_be(effort, name, bounds, says):
    effort(name)  # a mistake in the quick range shows at full effort too
    with pytest.raises(ValueError, match=f"some_id: .*{says}"):
        claim("some_id", 1.5, **bounds, says="it is so")


def test_claims_file(monkeypatch, tmp_path, effort):
    path = tmp_path / "claims.jsonl"
    monkeypatch.setenv("CLAIMS_FILE", str(path))
    claim("first", torch.tensor(1.5), at_most=2, says="größer")
    with pytest.raises(ClaimError):
        claim("second", 1.5, at_least=2, at_most=3, says="it is so")
    with pytest.raises(ClaimError):
        claim("third", math.nan, at_least=2, says="it is so")
    effort("quick")
    claim("fourth", 1.5, at_least=2, quick=1, says="it is so")
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    keys = ("notebook", "id", "value", "at_least", "at_most", "seed")
    assert [tuple(row) for row in rows] == [keys] * 4
    assert [tuple(row.values()) for row in rows if row["id"] != "third"] == [
        ("05_test", "first", 1.5, None, 2, 4),
        ("05_test", "second", 1.5, 2, 3, 4),
        ("05_test", "fourth", 1.5, 1, None, 4),
    ]
    assert math.isnan(rows[2]["value"])


def said(capsys, answer, expected, **options):
    """What an exercise prints, and whether the answer counts as right."""
    check = exercise("1", answer, expected, **options)
    first = capsys.readouterr().out
    right = check()
    assert capsys.readouterr().out == first
    assert right is first.startswith("✓ Exercise 1 is right.")
    return first


def right(capsys, given, expected, **options):
    return said(capsys, lambda: given, expected, **options).startswith("✓")


def stub(x): ...


def half_written(x):
    total = ...
    return total + x


@pytest.mark.parametrize(
    "answer",
    [
        lambda: None,
        lambda: ...,
        lambda: stub(3),
        lambda: (1.0, ...),
        lambda: [None, 2],
        lambda: half_written(3),
        lambda: half_written(torch.ones(3)),
        lambda: torch.exp(...),
        lambda: np.exp(...),
        lambda: float(...),
        lambda: (...).item(),
    ],
)
@pytest.mark.parametrize("expected", [2.0, (1.0, 2.0), "cat", True])
def test_an_open_exercise(capsys, answer, expected):
    out = said(capsys, answer, expected)
    assert out == "○ Exercise 1 is open: replace the `...` and run the cell again.\n"


def test_the_check_calls_the_readers_code_again(capsys):
    answers = iter([None, 1.0, 2.0])
    check = exercise("2", lambda: next(answers), 2.0)
    assert check() is False
    assert check() is True
    assert [line[0] for line in capsys.readouterr().out.splitlines()] == ["○", "✗", "✓"]


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
        (TypeError("unsupported"), "TypeError: unsupported"),
        (KeyError("name"), "KeyError: 'name'"),
        (NameError("name 'encode' is not defined"), "NameError: name 'encode'"),
    ],
)
def test_an_error_in_the_readers_code(capsys, error, says):
    def answer():
        raise error

    out = said(capsys, answer, 1.0)
    assert out.startswith(f"✗ Exercise 1: your code raised {says}")
    assert "in a cell of its own" in out


def test_a_forgotten_return(capsys):
    out = said(capsys, lambda: None + 1, 1.0)
    assert "A function without `return` gives None." in out


def test_the_readers_interrupt_is_not_caught():
    def answer():
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercise("1", answer, 1.0)


NUMBERS = [1.0, 2.0, 3.0]


@pytest.mark.parametrize("expected", [NUMBERS, tuple(NUMBERS), np.array(NUMBERS)])
@pytest.mark.parametrize(
    "given",
    [
        NUMBERS,
        tuple(NUMBERS),
        [1, 2, 3],
        np.array(NUMBERS, dtype=np.float32),
        np.array([1, 2, 3], dtype=np.uint8),
        torch.tensor(NUMBERS),
        torch.tensor(NUMBERS, dtype=torch.bfloat16),
        torch.tensor(NUMBERS, requires_grad=True),
        torch.tensor([1, 2, 3]),
        [torch.tensor(x, requires_grad=True) for x in NUMBERS],
    ],
    ids=lambda given: type(given).__name__,
)
def test_every_kind_of_sequence(capsys, given, expected):
    assert right(capsys, given, expected)
    assert right(capsys, given, torch.tensor(NUMBERS))
    assert not right(capsys, given, [1.0, 2.0, 4.0])
    assert not right(capsys, given, (1.0, 2.0))
    assert not right(capsys, given, 1.0)


@pytest.mark.parametrize("given", [2, 2.0, np.float32(2), np.array(2), torch.tensor(2)])
def test_every_kind_of_number(capsys, given):
    assert right(capsys, given, 2.0)
    assert right(capsys, given, torch.tensor(2.0))
    assert not right(capsys, given, 2.1)
    assert not right(capsys, given, [2.0])
    assert not right(capsys, given, "2")
    assert not right(capsys, given, True)
    assert not right(capsys, given, (2.0, 3.0))


@pytest.mark.parametrize(
    ("expected", "given", "answer"),
    [
        ("cat", "cat", True),
        ("cat", "dog", False),
        ("cat", 3, False),
        ("cat", np.array(["cat", "dog"]), False),
        ("cat", torch.zeros(2), False),
        (True, True, True),
        (True, False, False),
        (False, False, True),
        (True, np.bool_(True), True),
        (np.bool_(True), True, True),
        (True, torch.tensor(True), True),
        (True, torch.tensor([True, True]), False),
        (True, np.array([True, False]), False),
        (True, 1, False),
        (True, "True", False),
        (["cat", "dog"], ["cat", "dog"], True),
        (["cat", "dog"], ["cat", "cat"], False),
        (["cat", "dog"], "cat", False),
        (("cat", 2.0), ("cat", 2.0), True),
        (("cat", 2.0), ("cat", 2.5), False),
        ((np.ones(2), (1, 2)), (torch.ones(2), (1, 2)), True),
        ((np.ones(2), (1, 2)), (torch.ones(2), (1, 3)), False),
        (3.0, "3", False),
        (3.0, {"three": 3}, False),
        (3.0, {3.0}, False),
        (3.0, 3.0 + 0j, False),
        (3.0, math.sqrt, False),
        ([1, 2], [[1], [2, 3]], False),
        ([[1, 2], [3, 4]], [(1, 2), (3, 4)], True),
        ([], [], True),
        ([], [1.0], False),
        (math.inf, math.inf, True),
        (math.inf, -math.inf, False),
        (math.inf, 1e300, False),
        (1.0, math.inf, False),
        (1.0, math.nan, False),
        ([1.0, 2.0], [1.0, math.nan], False),
    ],
)
def test_right_or_not_and_never_raises(capsys, expected, given, answer, recwarn):
    assert right(capsys, given, expected) is answer
    assert not recwarn.list  # a warning would stand in the notebook in red


def test_tolerance(capsys):
    assert right(capsys, 1_000_000.5, 1_000_000.0)  # relative to large numbers
    assert not right(capsys, 1.00001, 1.0)
    assert right(capsys, 1.00001, 1.0, tolerance=1e-4)
    assert right(capsys, 1e-7, 0.0)  # relative to 1 below it
    assert right(capsys, torch.tensor(0.1), 0.1)
    assert not right(capsys, [1.0, 2.0], [1.0, 2.1], tolerance=0.01)


def test_what_is_said_about_a_wrong_answer(capsys):
    assert "2.5 is not the answer" in said(capsys, lambda: 2.5, 2.0)
    assert "nan is not the answer" in said(capsys, lambda: math.nan, 2.0)
    assert "50% of the values" in said(capsys, lambda: [1, 2, 9, 9], [1, 2, 3, 4])
    shape = said(capsys, lambda: torch.ones(3, 1), torch.ones(3))
    assert "has the shape (3, 1), it should be (3,)" in shape
    assert "number or an array, not 'two'" in said(capsys, lambda: "two", 2.0)
    assert "part 2: 5 is not" in said(capsys, lambda: (1, 5), (1, 2))
    assert "2 parts" in said(capsys, lambda: 1, (1, 2))
    assert "True or False, not 1" in said(capsys, lambda: 1, True)
    assert "'dog' is not the answer" in said(capsys, lambda: "dog", "cat")
    assert "a list is not the answer" in said(capsys, lambda: ["cat"] * 50, "cat")


def test_hints(capsys):
    hints = {4.0: "You forgot the root.", 0.0: "You start at zero."}
    options = dict(expected=2.0, mistakes=hints)
    assert "✗ Exercise 1: You forgot the root." in said(capsys, lambda: 4, **options)
    assert "zero" in said(capsys, lambda: torch.tensor(0.0), **options)
    assert "7 is not the answer" in said(capsys, lambda: 7, **options)
    assert "✓" in said(capsys, lambda: 2, **options)
    assert "○" in said(capsys, lambda: None, **options)


def test_hints_for_arrays_texts_and_nan(capsys):
    options = dict(
        expected=[1.0, 2.0],
        mistakes=[([2.0, 1.0], "Turn it."), ("cat", "A text?"), (math.nan, "log of 0")],
    )
    assert "Turn it." in said(capsys, lambda: torch.tensor([2.0, 1.0]), **options)
    assert "A text?" in said(capsys, lambda: "cat", **options)
    assert "log of 0" in said(capsys, lambda: torch.tensor(0.0).log() * 0, **options)


@pytest.mark.parametrize("known", [None, ..., {"a": 1}, [1, None], math.sqrt])
def test_an_exercise_that_nobody_can_solve(known):
    with pytest.raises(ValueError, match="exercise 1: no answer can equal"):
        exercise("1", lambda: 1, known)
    with pytest.raises(ValueError, match="exercise 1: no answer can equal"):
        exercise("1", lambda: 1, 2, mistakes=[(known, "hint")])


def test_the_check_carries_what_it_expects():
    check = exercise("1", lambda: None, 2.0, mistakes={4.0: "hint"})
    assert check.expected == 2.0 and check.mistakes == [(4.0, "hint")]
    assert check.judge(2.0) == (True, "✓ Exercise 1 is right.")
    assert check.judge(4.0) == (False, "✗ Exercise 1: hint")
    assert checks.exercise is exercise
