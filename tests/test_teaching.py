"""pytest runs this: the teaching guide speaks of notebooks and sections that exist."""

import re
from pathlib import Path

import nbformat
import pytest
from run_notebooks import ROOT, is_lesson, notebook_paths

GUIDE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
LESSONS = [path for path in notebook_paths() if is_lesson(path)]
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def chapter(path: Path) -> str:
    title = nbformat.read(path, as_version=4).cells[0].source.partition("\n")[0]
    title = title.partition(":")[0]  # a question may follow
    _, found, rest = GUIDE.partition(f"\n#{title}\n")
    assert found, f"TEACHING.md has no chapter '{title}'."
    return rest.partition("\n## ")[0]


@each_lesson
def test_each_lesson_has_a_plan(path):
    text = chapter(path)
    assert re.search(r"^\*\*45 minutes\*\*: ", text, re.MULTILINE)
    assert re.search(r"^\*\*90 minutes\*\*: ", text, re.MULTILINE)
    assert re.search(r"^\| .+\?.*\|.+\|.+\|$", text, re.MULTILINE)  # what to ask
    assert re.search(r"^- \*", text, re.MULTILINE)  # what goes wrong


@each_lesson
def test_the_plan_names_sections_that_exist(path):
    cells = nbformat.read(path, as_version=4).cells
    source = "\n".join(cell.source for cell in cells)
    headings = re.findall(r"^##+ (.+)$", source, re.MULTILINE)
    whole = " ".join(chapter(path).split())
    plan = re.search(r"\*\*45 minutes\*\*: (.+?)\*\*90 minutes", whole)[1]
    named = re.findall(r"(?:^|, |; |\. )([A-Z\d][^()]+?) \(\d+\)", plan)
    assert named
    for name in named:
        assert any(
            heading.startswith(name) or name in heading for heading in headings
        ), name
    for number in re.findall(r"exercises? (\d)", whole):
        assert re.search(rf"\bExercise {number}\b", source)
