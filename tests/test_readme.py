"""The README keeps its promises: commands, links, the table and the picture."""

import base64
import re

import nbformat
from run_notebooks import ROOT, is_lesson, notebook_paths, place

README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands() -> list[str]:
    return re.findall(r"^```\n(.+?)\n```$", README, re.MULTILINE | re.DOTALL)


def test_each_command_is_one_line_that_makes_an_environment():
    assert len(commands()) == 5
    for command in commands():
        assert "\n" not in command
        assert re.match(r"(python3|py) -m venv .venv( &&|;) ", command)


def test_each_platform_opens_the_first_lesson():
    first = place(notebook_paths()[0])
    opened = [c for c in commands() if re.search(r"jupyter lab \S+$", c)]
    assert [c.rpartition(" ")[2].replace("\\", "/") for c in opened] == [first] * 3
    assert [";" in command for command in opened] == [False, False, True]


def test_ci_runs_the_test_command():
    [command] = [line for line in README.splitlines() if line.endswith("-m pytest")]
    assert command in commands() and "-m pip install -r requirements.txt" in command
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.endswith("""
command=$(grep -e '-m pytest$' README.md)
eval "${command//.venv/$work/venv}"
""")


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^):]+)\)", README):
        assert (ROOT / target).exists(), target


def minutes_to_read(path) -> float:
    """150 words or 12 lines of code a minute, and a minute for each guess."""
    cells = nbformat.read(path, as_version=4).cells
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    own = {"exercise", "check", "solution"}
    code = "\n".join(
        cell.source
        for cell in cells
        if cell.cell_type == "code" and not own & set(cell.metadata.get("tags", []))
    )
    lines = sum(bool(line.strip()) for line in code.splitlines())
    return len(re.findall(r"\w+", text)) / 150 + lines / 12 + text.count("**Predict**")


def test_the_table_lists_lessons_with_their_second_visits():
    row = r"^\| (\d\d) \|(.+)\|(.+)\|(.*)\|([ \d,]+)\|$"
    listed = []
    for number, lesson, question, visits, minutes in re.findall(row, README, re.M):
        links = re.findall(r"\]\((.+?)\)", lesson), re.findall(r"\]\((.+?)\)", visits)
        assert len(links[0]) == 1 and "?" in question
        listed += [(number, *links[0], True), *((number, v, False) for v in links[1])]
        for link, said in zip([*links[0], *links[1]], minutes.split(","), strict=True):
            assert abs(minutes_to_read(ROOT / link) - int(said)) <= 3, link
    paths = notebook_paths()
    assert listed == [(path.name[:2], place(path), is_lesson(path)) for path in paths]


def test_the_picture_is_one_of_the_figures():
    picture = (ROOT / "README.png").read_bytes()
    figures = [
        base64.b64decode(output["data"]["image/png"])
        for path in notebook_paths()
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert picture in figures, "save the figure of notebook 02 as README.png again"
