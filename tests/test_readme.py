"""The README keeps its promises: commands, links, the table and the picture."""

import base64
import re
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def commands() -> list[str]:
    return re.findall(r"^```\n(.+?)\n```$", README, re.MULTILINE | re.DOTALL)


def test_each_command_is_one_line_that_makes_an_environment():
    assert len(commands()) == 3
    for command in commands():
        assert "\n" not in command
        assert command.startswith("python3 -m venv .venv && ")


def test_ci_runs_the_test_command():
    installs = "-m pip install -r requirements.txt"
    tests = [line for line in commands() if line.endswith("-m pytest")]
    assert len(tests) == 1 and installs in tests[0]
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert installs in script.replace("--quiet ", "")
    assert re.search(r"python\" -m pytest$", script, re.MULTILINE)


def test_links_lead_to_files():
    for target in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / target).exists(), target


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_the_table_lists_each_notebook(path: Path):
    row = re.search(rf"^\| {path.name[:2]} \|.*$", README, re.MULTILINE)
    assert row and f"(notebooks/{path.name})" in row[0] and "ready" in row[0]


def test_the_picture_is_one_of_the_figures():
    picture = (ROOT / "README.png").read_bytes()
    figures = [
        base64.b64decode(output["data"]["image/png"])
        for path in NOTEBOOKS
        for cell in nbformat.read(path, as_version=4).cells
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]
    assert picture in figures, "save the figure of notebook 02 as README.png again"
