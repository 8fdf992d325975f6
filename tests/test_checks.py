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


@pytest.fixture
def expect(monkeypatch, tmp_path):
    """Writes an `expected.toml` with the claim `x` and goes to a folder below it."""
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")

    def write(*lines):
        text = "\n".join(["[x]", 'says = "a number"', *lines])
        (tmp_path / "expected.toml").write_text(text, encoding="utf-8")

    return write


def bounds(low, high):
    limits = {"at_least": low, "at_most": high}
    return [f"{name} = {v}" for name, v in limits.items() if v is not None]


@pytest.mark.parametrize(
    ("value", "low", "high", "line"),
    [
        (2.898432, None, 3.1, "2.90 (expected: at most 3.1)"),
        (3.1, None, 3.1, "3.10 (expected: at most 3.1)"),
        (3.1, 3.1, None, "3.10 (expected: at least 3.1)"),
        (13.8714, 13.84, 13.9, "13.87 (expected: 13.84 to 13.9)"),
        (0.0, -1, 0, "0 (expected: -1 to 0)"),
        (2, 2, 2, "2 (expected: exactly 2)"),
        (12345.6, 10_000, None, "12,346 (expected: at least 10,000)"),
        (-0.5, -1, None, "-0.500 (expected: at least -1)"),
        (1.23e-9, None, 1e-6, "1.23e-09 (expected: at most 1e-06)"),
        (torch.tensor(2.5), None, 3, "2.50 (expected: at most 3)"),
        (np.float32(2.5), None, 3, "2.50 (expected: at most 3)"),
        (True, 1, None, "1 (expected: at least 1)"),
    ],
)
def test_a_claim_that_holds(capsys, expect, value, low, high, line):
    expect(*bounds(low, high))
    claim("x", value)
    assert capsys.readouterr().out == f"✓ a number: {line}\n"


@pytest.mark.parametrize(
    ("value", "low", "high"),
    [
        (math.nextafter(3.2, 4), None, 3.2),
        (3.1, 3.2, None),
        (5, 1, 4),
        (0, 1, 4),
        (math.nan, None, 3.2),
        (math.nan, 3.2, None),
        (math.inf, 3.2, None),
        (-math.inf, None, 3.2),
        (1, None, "nan"),
    ],
)
def test_a_claim_that_fails(capsys, expect, value, low, high):
    expect(*bounds(low, high))
    with pytest.raises(ClaimError):
        claim("x", value)
    assert capsys.readouterr().out == ""


def test_the_error_says_what_and_what_to_do(expect):
    expect("at_most = 3.2")
    with pytest.raises(AssertionError) as error:
        claim("x", 3.20004)
    text = str(error.value)
    assert text.startswith("a number: 3.20004 (expected: at most 3.2)\n")
    assert "restart the kernel and run all cells" in text
    assert "claim x, seed 4, full effort" in text


def test_at_full_effort_a_reader_sees_what_other_seeds_gave(capsys, expect, effort):
    expect("at_most = 3.1", "seen = { least = 2.8612, most = 2.97, seeds = 5 }")
    claim("x", 2.898432)
    assert capsys.readouterr().out == "✓ a number: 2.90 (five seeds: 2.86 to 2.97)\n"
    claim("x", 3)  # inside the limits, outside of what was seen
    assert capsys.readouterr().out == "✓ a number: 3.00 (five seeds: 2.86 to 2.97)\n"
    effort("quick")
    claim("x", 2.898432)
    assert "(expected: at most 3.1)" in capsys.readouterr().out


def test_a_number_that_is_the_same_for_all_seeds(capsys, expect):
    expect("at_most = 3.1", "seen = { least = 3, most = 3, seeds = 5 }")
    claim("x", 3)
    assert capsys.readouterr().out == "✓ a number: 3 (five seeds: always 3)\n"


def test_nothing_is_said_of_seeds_where_no_chance_enters(capsys, expect):
    seen = "seen = { least = 3, most = 3, seeds = 5 }"
    expect("at_most = 3.1", "chance = false", seen)
    claim("x", 3)
    assert capsys.readouterr().out == "✓ a number: 3\n"
    with pytest.raises(ClaimError):
        claim("x", 3.2)


@pytest.mark.parametrize(
    ("value", "low", "high", "quick"),
    [
        (97, None, 93, "at_most = 101"),
        (80, 90, None, "at_least = 70"),
        (5, 1, 2, "at_least = 4, at_most = 6"),
        (5, 1, 2, "at_least = 4"),
    ],
)
def test_quick_replaces_the_range(expect, effort, value, low, high, quick):
    expect(*bounds(low, high), f"quick = {{ {quick} }}")
    with pytest.raises(ClaimError):
        claim("x", value)
    effort("quick")
    claim("x", value)
    with pytest.raises(ClaimError, match="quick effort"):
        claim("x", 1000 if "at_most" in quick else 1)


@pytest.mark.parametrize("value", [5, math.nan])
def test_a_smoke_run_records_and_does_not_judge(
    capsys, expect, effort, monkeypatch, tmp_path, value
):
    monkeypatch.setenv("CLAIMS_FILE", str(tmp_path / "claims.jsonl"))
    expect("at_most = 3")
    effort("smoke")
    claim("x", value)
    assert capsys.readouterr().out == f"· a number: {value} (smoke run: not judged)\n"
    assert '"effort": "smoke"' in (tmp_path / "claims.jsonl").read_text(
        encoding="utf-8"
    )


@pytest.mark.parametrize("name", ["full", "quick"])
@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ([], "needs at_least or at_most"),
        (["at_least = 2", "at_most = 1"], "lies above"),
        (["at_least = 1", "quick = { at_least = 4, at_most = 3 }"], "lies above"),
        (["at_least = 1", "quick = {}"], "needs at_least or at_most"),
        (["quick = { at_least = 1 }"], "needs at_least or at_most"),
        (["at_least = = 1"], r"expected\.toml"),
        (["at_least = 1", "[y]"], "'other' has no table in .*expected.toml"),
    ],
)
def test_a_table_that_cannot_be(expect, effort, name, lines, says):
    effort(name)  # a mistake in the quick range shows at full effort too
    expect(*lines)
    with pytest.raises(ValueError, match=says):
        claim("other" if "[y]" in lines else "x", 1.5)


def test_where_the_file_is(capsys, monkeypatch, tmp_path):
    package = tmp_path / "course" / "helpers" / "checks.py"
    monkeypatch.setattr(runtime, "__file__", str(package))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    claim("x", 2)  # one notebook alone, with helpers installed somewhere
    assert capsys.readouterr().out == "· x: 2 (no expected.toml: not judged)\n"
    for folder, says in {
        "course": "package",
        ".": "above",
        "elsewhere": "here",
    }.items():
        path = tmp_path / folder / "notebooks" / "expected.toml"
        path.parent.mkdir(parents=True)
        path.write_text(f'[x]\nsays = "{says}"\nat_most = 3\n', encoding="utf-8")
        claim("x", 2)
        assert says in capsys.readouterr().out


def test_claims_file(monkeypatch, tmp_path, expect, effort):
    path = tmp_path / "claims.jsonl"
    monkeypatch.setenv("CLAIMS_FILE", str(path))
    expect("at_least = 2", "at_most = 3", "quick = { at_least = 1 }")
    claim("x", torch.tensor(2.5))
    for value in (1.5, math.nan):
        with pytest.raises(ClaimError):
            claim("x", value)
    effort("quick")
    claim("x", 1.5)
    rows = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    keys = ("notebook", "id", "value", "at_least", "at_most", "seed", "effort")
    assert [tuple(row) for row in rows] == [keys] * 4
    assert math.isnan(rows.pop(2)["value"])
    assert [tuple(row.values()) for row in rows] == [
        ("05_test", "x", 2.5, 2, 3, 4, "full"),
        ("05_test", "x", 1.5, 2, 3, 4, "full"),
        ("05_test", "x", 1.5, 1, None, 4, "quick"),
    ]


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
