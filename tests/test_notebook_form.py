"""pytest runs this: each notebook of the series keeps each rule of notebook_form.py."""

from functools import cache
from pathlib import Path

import pytest
from notebook_form import RULES, SERIES_RULES, Book

ROOT = Path(__file__).resolve().parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
HELPERS = sorted((ROOT / "helpers").rglob("*.py"))
read = cache(Book.read)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path: Path, name: str):
    problems = RULES[name](read(path))
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("name", SERIES_RULES)
def test_series(name: str):
    problems = SERIES_RULES[name]([read(path) for path in NOTEBOOKS], HELPERS)
    assert not problems, "\n" + "\n".join(problems)
