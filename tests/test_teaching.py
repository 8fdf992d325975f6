"""pytest runs this: the teaching guide speaks of notebooks and sections that exist."""

import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
GUIDE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def chapter(path: Path) -> str:
    title = nbformat.read(path, as_version=4).cells[0].source.partition("\n")[0]
    _, found, rest = GUIDE.partition(f"\n#{title}\n")
    assert found, f"TEACHING.md has no chapter '{title}'."
    return rest.partition("\n## ")[0]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_notebook_has_a_plan(path):
    text = chapter(path)
    assert re.search(r"^\*\*45 minutes\*\*: ", text, re.MULTILINE)
    assert re.search(r"^\*\*90 minutes\*\*: ", text, re.MULTILINE)
    assert len(re.findall(r"^\| .+\?.*\|.+\|.+\|$", text, re.MULTILINE)) >= 3
    assert len(re.findall(r"^- \*", text, re.MULTILINE)) >= 3


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_plan_names_sections_that_exist(path):
    cells = nbformat.read(path, as_version=4).cells
    source = "\n".join(cell.source for cell in cells)
    headings = re.findall(r"^##+ (.+)$", source, re.MULTILINE)
    whole = " ".join(chapter(path).split())
    plan = re.search(r"\*\*45 minutes\*\*: (.+?)\*\*90 minutes", whole)[1]
    named = re.findall(r"(?:^|, |; |\. )([A-Z\d][^()]+?) \(\d+\)", plan)
    assert len(named) >= 3
    for name in named:
        assert any(
            heading.startswith(name) or name in heading for heading in headings
        ), name
    for number in re.findall(r"exercises? (\d)", whole):
        assert f"### Exercise {number}:" in source
