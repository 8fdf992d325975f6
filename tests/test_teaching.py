"""pytest runs this: the teaching guide speaks of notebooks and sections that exist.

Its plans add up: 45 or 90 minutes for a lesson, 60 for each hour of the one day, 90 and
45 for class and lab of each week. No section gets fewer minutes than it takes to read.
"""

import re
from pathlib import Path

import nbformat
import pytest
from run_notebooks import ROOT, is_lesson, notebook_paths

GUIDE = (ROOT / "TEACHING.md").read_text(encoding="utf-8")
LESSONS = [path for path in notebook_paths() if is_lesson(path)]
each_lesson = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def part(heading: str) -> str:
    _, found, rest = GUIDE.partition(f"\n## {heading}\n")
    assert found, f"TEACHING.md has no chapter '{heading}'."
    return rest.partition("\n## ")[0]


def chapter(path: Path) -> str:
    title = nbformat.read(path, as_version=4).cells[0].source.partition("\n")[0]
    return part(title.partition(":")[0].removeprefix("# "))  # a question may follow


def plan(path: Path, minutes: int) -> str:
    pattern = rf"(?s)\n\*\*{minutes} minutes\*\*: (.+?)(?=\n\n|\n\*\*)"
    return " ".join(re.search(pattern, chapter(path))[1].split())


def blocks(text: str) -> list[tuple[str, int, int]]:
    """Name, stars and minutes of each block: "Round ★ (6)" is ("Round", 1, 6)."""
    found = re.findall(r"([^()]+?) ?(★*)(?:, with chairs)? \((\d+)\)", text)
    return [(name.lstrip(",. "), len(stars), int(m)) for name, stars, m in found]


def sections(path: Path) -> dict[str, tuple[float, int]]:
    """Minutes to read and **Predict** boxes of each section, subsections included.

    150 words or 12 lines of code a minute, one for each guess, as in the README.
    """
    own = {"exercise", "check", "solution"}
    open_now, sizes = {}, {}
    for cell in nbformat.read(path, as_version=4).cells:
        pieces = [cell.source]
        if cell.cell_type == "markdown":
            pieces = re.split(r"^(?=##+ )", cell.source, flags=re.MULTILINE)
        for piece in pieces:
            words = lines = boxes = 0
            if cell.cell_type == "markdown":
                if heading := re.match(r"(##+) (?:\d+\. )?(.+)", piece):
                    level = len(heading[1])
                    open_now = {k: v for k, v in open_now.items() if k < level}
                    open_now[level] = heading[2]
                words = len(re.findall(r"\w+", piece))
                boxes = piece.count("**Predict**")
            elif not own & set(cell.metadata.get("tags", [])):
                lines = sum(bool(line.strip()) for line in piece.splitlines())
            for name in open_now.values():
                minutes, guesses = sizes.get(name, (0.0, 0))
                minutes += words / 150 + lines / 12 + boxes
                sizes[name] = minutes, guesses + boxes
    return sizes


def check_blocks(path: Path, text: str) -> int:
    """A block in capitals is a section, has enough minutes and a guess for each star.

    Returns how many sections are named.
    """
    sizes, named = sections(path), 0
    for name, stars, minutes in blocks(text):
        name = name.rpartition(". ")[2]
        if number := re.match(r"exercise (\d)", name):
            assert any(h.startswith(f"Exercise {number[1]}") for h in sizes), name
        if not name[0].isupper() and not name[0].isdigit():
            continue  # "opening", "what we found", a part of a section
        [(needed, boxes)] = [size for head, size in sizes.items() if name in head]
        assert stars <= boxes, f"{name}: {stars} stars, {boxes} guesses"
        # A minute is in the time to read, and three are spent.
        assert minutes >= needed + 2 * stars - 1, (
            f"{name}: {needed:.1f} minutes to read"
        )
        named += 1
    return named


@each_lesson
def test_each_lesson_has_a_plan(path):
    text = chapter(path)
    assert re.search(r"^\*\*On the board\*\*", text, re.MULTILINE)
    assert re.search(r"^\| .+\?.*\|.+\|.+\|$", text, re.MULTILINE)  # what to ask
    assert re.search(r"^- \*", text, re.MULTILINE)  # what goes wrong


@each_lesson
@pytest.mark.parametrize("minutes", [45, 90])
def test_the_plan_adds_up_and_names_sections_that_exist(path, minutes):
    text = plan(path, minutes)
    assert sum(block[2] for block in blocks(text)) == minutes
    assert check_blocks(path, text) >= 3


@each_lesson
def test_exercises_that_are_named_exist(path):
    visits = [p for p in notebook_paths() if p.name[:2] == path.name[:2]]
    pattern = r"exercises? (\d)(?: (?:and|to) (\d))?( of the second visit)?"
    for *numbers, of_visit in re.findall(pattern, " ".join(chapter(path).split())):
        [lesson] = [p for p in visits if is_lesson(p) != bool(of_visit)]
        source = "\n".join(c.source for c in nbformat.read(lesson, as_version=4).cells)
        for number in filter(None, numbers):
            assert re.search(rf"\bExercise {number}\b", source), (lesson.name, number)


def test_the_table_says_what_each_lesson_says():
    row = r"(?m)^\| (\d\d) [^|]+ \| ([^|]*) \| ([^|]*)\| "
    rows = re.findall(row, part("What depends on what"))
    assert [number for number, *_ in rows] == [path.name[:2] for path in LESSONS]
    for path, (_, needs, helps) in zip(LESSONS, rows, strict=True):
        source = nbformat.read(path, as_version=4).cells[0].source
        before = re.search(r"\*\*Before\*\*(.+?)\*\*Words", source)[1]
        linked = set(re.findall(r"\[(\d\d)\]", before))
        needs, helps = (set(re.findall(r"\d\d", column)) for column in (needs, helps))
        assert needs <= linked <= needs | helps, path.name


def test_each_hour_of_the_day_adds_up():
    day = part("What depends on what").partition("**One day**")[2]
    hours = re.findall(r"(?ms)^- \*\*(.+?)\*\*: (.+?)(?=^- |\Z)", day)
    assert len(hours) == 6
    for name, text in hours:
        text = " ".join(text.split())
        assert sum(block[2] for block in blocks(text)) == 60, name
        check_several(name, text)


def test_each_week_adds_up():
    weeks = re.findall(
        r"\*\*(Week \d: [^*]+)\*\* - \*Class\*: (.+?) - \*Board\*: .+?"
        r" - \*Lab\*: (.+?) - \*Home\*: ",
        " ".join(part("Six weeks").split()),
    )
    assert [name[:6] for name, *_ in weeks] == [f"Week {n}" for n in range(1, 7)]
    for name, lecture, lab in weeks:
        assert sum(block[2] for block in blocks(lecture)) == 90, name
        assert sum(block[2] for block in blocks(lab)) == 45, name
        check_several(name, lecture)


def check_several(name: str, text: str):
    """An hour or a week, in which "in 07" begins another lesson."""
    lesson = re.search(r"\d\d", name.partition(":")[2] or name.partition(", ")[2])[0]
    for piece in re.split(r"(?=\bin \d\d the )", text):
        if another := re.match(r"in (\d\d) ", piece):
            lesson = another[1]
        [path] = [p for p in LESSONS if p.name[:2] == lesson]
        check_blocks(path, piece)


def test_the_projects_are_all_open_exercises():
    rows = re.findall(
        r"(?m)^\| (\d\d)(, second visit)?, exercise (\d): (.+?) \|", GUIDE
    )
    listed = {(number, bool(v), int(n), title) for number, v, n, title in rows}
    assert len(listed) == len(rows)
    there = set()
    for path in notebook_paths():
        for cell in nbformat.read(path, as_version=4).cells:
            pattern = r"^#+ Exercise (\d): (.+) \(open\)$"
            for n, title in re.findall(pattern, cell.source, re.MULTILINE):
                there.add((path.name[:2], not is_lesson(path), int(n), title))
    assert listed == there


def test_the_marks_add_up():
    marks = part("Marks")
    table, rubric = marks.split("**A project**")
    assert sum(map(int, re.findall(r"(?m)^\| .+ \| (\d+) \| .+ \|$", table))) == 100
    assert sum(map(int, re.findall(r"(?m)^\| .+ \| (\d+) \|$", rubric))) == 30
    pattern = r"(?ms)^\d\. \*.*?, (\d) marks\.\*(.+?)(?=^\d\. |\Z)"
    questions = re.findall(pattern, part("Exam"))
    assert len(questions) == 6 and sum(int(m) for m, _ in questions) == 40
    for total, text in questions:
        answer = " ".join(text.split()).partition("**Answer**")[2]
        points = re.findall(r"\((\d(?:\.5)?)\)(?=[.:]|$)", answer)
        assert sum(map(float, points)) == int(total), answer
