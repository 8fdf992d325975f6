"""pytest runs this: the claims of all notebooks and `notebooks/expected.toml` agree."""

import ast
import re
from collections import Counter
from pathlib import Path

import nbformat
import pytest

from helpers.checks import expected_range, read_expected

NOTEBOOKS = Path(__file__).resolve().parents[1] / "notebooks"
EXPECTED = read_expected(NOTEBOOKS / "expected.toml")
KEYS = {"says", "at_least", "at_most", "quick", "wide", "chance", "seen"}
# A limit lies at most so far from the nearest value that was seen: so many times the
# spread over the seeds, or this share of the value. Errors that are zero up to rounding
# may lie below an absolute limit.
SPREADS, SHARE, ROUNDING = 3, 0.25, 1e-3


def problems(entry: dict) -> list[str]:
    """Says what is wrong with the limits of an entry beside the values seen."""
    if "seen" not in entry:
        return []
    least, most = entry["seen"]["least"], entry["seen"]["most"]
    if not least <= most or entry["seen"]["seeds"] < 2:
        return ["`seen` is no range over seeds"]
    found = []
    if not entry.get("chance", True) and least != most:
        found.append("seeds differ, so there is chance in it")
    for name, value, sign in (("at_least", least, 1), ("at_most", most, -1)):
        if name in entry:
            room = sign * (value - entry[name])
            if room < 0:
                found.append(f"{value} was seen, outside of {name}")
            near = max(SPREADS * (most - least), SHARE * abs(value), ROUNDING)
            if room > near and "wide" not in entry:
                found.append(f"{name} is far from {value}, the nearest value seen")
    return found


def claims(path: Path) -> list[ast.Call]:
    cells = nbformat.read(path, as_version=4).cells
    code = "\n".join(cell.source for cell in cells if cell.cell_type == "code")
    calls = [node for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Call)]
    return [call for call in calls if ast.unparse(call.func).split(".")[-1] == "claim"]


def test_each_claim_has_one_table_and_each_table_one_claim():
    books = [*NOTEBOOKS.glob("*.ipynb"), *NOTEBOOKS.glob("further/*.ipynb")]
    counts = Counter(call.args[0].value for path in books for call in claims(path))
    assert [id for id, count in counts.items() if count > 1] == []
    assert set(counts) == set(EXPECTED)


@pytest.mark.parametrize("id", EXPECTED)
def test_table(id):
    entry = EXPECTED[id]
    assert re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", id) and set(entry) <= KEYS
    assert len(entry["says"]) > 8 and not entry["says"].endswith((".", ":"))
    assert set(entry.get("quick", {})) <= {"at_least", "at_most"}
    expected_range(id, entry), expected_range(id, entry, quick=True)  # or ValueError
    assert problems(entry) == []


@pytest.mark.parametrize(
    ("limits", "found"),
    [
        (dict(at_least=2.5, at_most=3.1), []),
        (dict(at_least=2.5, at_most=2.9), ["outside of at_most"]),
        (dict(at_least=2.88), ["outside of at_least"]),
        (dict(at_most=4.0), ["at_most is far"]),
        (dict(at_most=4.0, wide="for a reason"), []),
        (dict(at_most=3.1, chance=False), ["seeds differ"]),
        (dict(at_least=0, at_most=100), ["at_least is far", "at_most is far"]),
    ],
)
def test_limits_beside_the_values_seen(limits, found):
    entry = limits | {"seen": {"least": 2.86, "most": 2.97, "seeds": 5}}
    said = problems(entry)
    assert len(said) == len(found)
    assert all(text in problem for text, problem in zip(found, said, strict=True))
