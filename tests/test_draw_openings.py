"""The drawing that opens a lesson is an attachment of its first cell."""

import base64

import nbformat
import pytest
from draw_openings import DRAWINGS, attach
from run_notebooks import ROOT

PNG = b"\x89PNG and so on"


def lesson(path, text):
    cells = [nbformat.v4.new_markdown_cell(text), nbformat.v4.new_code_cell("1 + 1")]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    return path


def test_a_picture_replaces_the_one_before(tmp_path):
    path = lesson(tmp_path / "01_x.ipynb", "# 01\n\n![A drawing.](attachment:a.png)")
    for png in (b"old", PNG):
        attach(path, "a.png", png)
    (name, data), *others = nbformat.read(path, 4).cells[0].attachments.items()
    assert (name, base64.b64decode(data["image/png"]), others) == ("a.png", PNG, [])


def test_a_cell_that_shows_no_picture_is_left_alone(tmp_path):
    path = lesson(tmp_path / "01_x.ipynb", "# 01")
    before = path.read_bytes()
    with pytest.raises(ValueError, match=r"01_x.ipynb.*attachment:a.png"):
        attach(path, "a.png", PNG)
    assert path.read_bytes() == before


@pytest.mark.parametrize("number", DRAWINGS)
def test_lessons_have_their_drawings(number):
    (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
    assert DRAWINGS[number][0] in nbformat.read(path, 4).cells[0].attachments
