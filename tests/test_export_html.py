"""pytest runs this: the exported pages are complete and load nothing from elsewhere.

How they look, and what axe-core says about them, is tested in tests/browser.
"""

import copy
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

pytest.importorskip(
    "latex2mathml", reason="no latex2mathml: pip install -r tools/requirements.txt"
)
import export_html
import specimen
from export_html import Exporter, export, mathml, page
from run_notebooks import is_lesson, notebook_paths

NOTEBOOKS = notebook_paths()
LESSONS = [path for path in NOTEBOOKS if is_lesson(path)]
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def site(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    export(folder, NOTEBOOKS)
    return folder


@cache
def soup(path: Path) -> BeautifulSoup:
    return BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")


@each_notebook
def test_figures_keep_their_alternatives(path, site):
    alts = [image["alt"] for image in soup(site / f"{path.stem}.html").find_all("img")]
    expected = []
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "markdown":
            expected += re.findall(r"!\[([^][]+)\]\(attachment:", cell.source)
        for output in cell.get("outputs", []):
            if "image/png" in output.get("data", {}):
                expected.append(output.metadata["image/png"].alt)
    assert alts == expected and alts


@each_notebook
def test_all_text_and_code_is_there(path, site):
    text = soup(site / f"{path.stem}.html").main.text
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            assert cell.source in text
    assert "## " not in re.sub(r"(?s)^ *#.*?$", "", text, flags=re.MULTILINE)


@each_notebook
def test_formulas_are_mathml(path, site):
    body = copy.copy(soup(site / f"{path.stem}.html").main)
    for code in body.select("pre, code"):
        code.decompose()
    assert "$" not in body.text and "\\" not in body.text
    sources = [c.source for c in nbformat.read(path, as_version=4).cells]
    if any("$$" in source for source in sources):
        assert body.select('.formula math[display="block"]')


def test_nothing_is_loaded_from_elsewhere(site):
    for path in site.glob("*.html"):
        html = soup(path)
        assert not html.find_all(["script", "iframe", "object", "embed"])
        for node in html.select("[src], link[href]"):
            target = node.get("src") or node["href"]
            assert target.startswith("data:") or (site / target).exists(), target
    assert "url(" not in (site / "style.css").read_text(encoding="utf-8")


def test_links_lead_to_pages(site):
    for path in site.glob("*.html"):
        for link in soup(path).find_all("a"):
            target = link["href"]
            assert link.text.strip()
            if target.startswith("#"):
                assert soup(path).find(id=target[1:])
            elif not target.startswith(("https://", "http://")):
                assert (site / target).exists(), f"{path.name}: {target}"
            assert "OWNER/REPO" not in target


def test_one_can_walk_through_the_series(site):
    links = soup(site / "index.html").select("main ol a")
    pages = [f"{path.stem}.html" for path in NOTEBOOKS]
    assert [link["href"] for link in links] == pages
    walk = pages[:1]
    while step := soup(site / walk[-1]).find("a", rel="next"):
        walk.append(step["href"])
        back = soup(site / walk[-1]).find("a", rel="prev")["href"]
        assert back == walk[-2]
    assert walk == [f"{path.stem}.html" for path in LESSONS]


@pytest.mark.parametrize(
    ("text", "title", "question"),
    [
        ("# 01 Code: how few?\n\n**You will** see.", "01 Code", "How few?"),
        ("# 01 Code\n\n**Why? And how?** It", "01 Code", "Why? And how?"),
        ("# 01 Code\n\n![x](y.png)\n\nIs it so? Yes", "01 Code", "Is it so?"),
        ("# 01, second visit: why?", "01, second visit: why?", "Why?"),
    ],
)
def test_title_and_question(text, title, question):
    notebook = new_notebook(cells=[new_markdown_cell(text)])
    assert export_html.title_of(notebook) == title
    assert export_html.question_of(notebook) == question


def test_a_lesson_and_its_second_visit(tmp_path):
    """Links between the tiers lead to pages, and drawings stay with their words."""
    paths = [tmp_path / f"{specimen.STEM}.ipynb", tmp_path / "further/01_visit.ipynb"]
    paths[1].parent.mkdir()
    for path, target in zip(paths, ("further/01_visit", "../01_specimen"), strict=True):
        notebook = specimen.build()
        notebook.cells[-1].source += f" [There]({target}.ipynb)"
        nbformat.write(notebook, path)
    export(tmp_path, paths, "ada/series")
    lesson, visit = (soup(tmp_path / f"{path.stem}.html") for path in paths)
    assert lesson.find("a", string="There")["href"] == "01_visit.html"
    assert visit.find("a", string="There")["href"] == "01_specimen.html"
    assert visit.find("a", rel="prev")["href"] == "01_specimen.html"
    assert lesson.find("a", rel="next") is None
    run = "https://mybinder.org/v2/gh/ada/series/HEAD?urlpath=lab/tree/notebooks/"
    assert visit.header.p.a["href"] == run + "further/01_visit.ipynb"
    drawing = lesson.main.img
    assert drawing["alt"] == "A line through a cloud of points"
    assert drawing["src"] == f"data:image/png;base64,{specimen.PICTURE}"
    row = soup(tmp_path / "index.html").select_one("main ol li")
    assert [a["href"] for a in row.select("a")] == [f"{p.stem}.html" for p in paths]
    assert "still keep every rule?" in row.text


@each_notebook
def test_solutions_can_be_unfolded(path, site):
    folded = soup(site / f"{path.stem}.html").select("details > summary")
    cells = nbformat.read(path, as_version=4).cells
    count = sum("solution" in cell.metadata.get("tags", []) for cell in cells)
    assert [f.text for f in folded].count("Solution") == count


@pytest.mark.parametrize("width", ["inline", "block"])
def test_formulas_that_browsers_would_show_wrongly(width):
    assert "&#x02016;" in mathml(r"\text{KL}(p\,\|\,q)", width)
    space = '<mspace width="0.167em"'
    assert mathml(r"\log p", width).count(space) == 1
    assert mathml(r"\log_2 p", width).count(space) == 1
    assert mathml(r"2\log_{10}(p)", width).count(space) == 1
    assert mathml(r"\log(p)", width).count(space) == 0
    assert mathml(r"\log\big(p\big)", width).count(space) == 0


def test_an_unknown_formula_is_an_error():
    with pytest.raises(ValueError, match=r"\\nosuchthing is not understood"):
        mathml(r"\nosuchthing{x}", "inline")


def test_text_with_marks_inside_formulas():
    source = "Cost $a_1*b_1*c$ and 5 < 6.\n\n$$x_i\n= \\sum_i *y*$$\n\n**bold**"
    notebook = new_notebook(cells=[new_markdown_cell(source)])
    html = page(Exporter(), notebook, title="t", previous=None, next=None)
    body = BeautifulSoup(html, "html.parser").main
    assert len(body.find_all("math")) == 2 and not body.find_all("em")
    assert "5 < 6" in body.text and body.strong.text == "bold"


def test_output_is_escaped():
    cell = new_code_cell("print('<b>')")
    cell.outputs = [nbformat.v4.new_output("stream", text="<script>x</script> & <b>")]
    html = page(
        Exporter(), new_notebook(cells=[cell]), title="t", previous=None, next=None
    )
    assert "<script>x</script> & <b>" in BeautifulSoup(html, "html.parser").main.text


def test_without_the_library_the_command_says_what_to_do(monkeypatch):
    monkeypatch.setitem(export_html.sys.modules, "latex2mathml", None)
    monkeypatch.setattr("sys.argv", ["export_html.py"])
    with pytest.raises(SystemExit, match=r"pip install -r tools/requirements\.txt"):
        export_html.main()
