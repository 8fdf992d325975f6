"""Whoever wants the series as pages to read, without running anything, calls this.

    pip install -r tools/requirements.txt
    python tools/export_html.py [FOLDER] [--repository OWNER/REPO]

The pages lie in FOLDER (default: build/html) and need no network, no script and no
server: open index.html. Formulas become MathML, figures and drawings keep their text
alternatives, solutions can be unfolded, and each page links to its neighbours: a lesson
to other lessons, a second visit to its lesson and the next one, a term of the glossary
to the lesson that introduces it.
"""

import argparse
import re
import shutil
import sys
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from jinja2 import pass_context
from nbconvert import HTMLExporter
from nbconvert.filters.markdown_mistune import IPythonRenderer, MarkdownWithMath
from nbformat import NotebookNode
from pygments.formatters import HtmlFormatter
from run_notebooks import ROOT, is_lesson, notebook_paths, place

TEMPLATES = Path(__file__).resolve().parent / "templates"
INDEX = """\
# {title}

{introduction}

{picture}

<ol class="series">
{rows}
</ol>

<p><a href="glossary.html">Glossary</a></p>
"""
ROW = """<li><a href="{page}">{title}</a><p>{question}</p>{visits}</li>"""
VISIT = """<p>Second visit: <a href="{page}">{title}</a></p>"""
BINDER = "https://mybinder.org/v2/gh/{}/HEAD?urlpath=lab/tree/{}"


class Renderer(IPythonRenderer):
    """Markdown to HTML, with formulas as MathML."""

    def block_math(self, body: str) -> str:
        return f'<div class="formula" tabindex="0">{mathml(body, "block")}</div>'

    def inline_math(self, body: str) -> str:
        return mathml(body, "inline")


class Exporter(HTMLExporter):
    """One page of the series from one notebook."""

    def __init__(self, **options):
        super().__init__(
            template_name="series", extra_template_basedirs=[str(TEMPLATES)], **options
        )
        self.exclude_output_prompt = self.exclude_input_prompt = True

    @pass_context
    def markdown2html(self, context, source: str) -> str:
        attachments = context.get("cell", {}).get("attachments", {})
        renderer = Renderer(
            escape=False, exclude_anchor_links=True, attachments=attachments
        )
        return MarkdownWithMath(renderer=renderer).render(source)


def mathml(formula: str, display: str) -> str:
    """A formula in LaTeX as MathML; raises ValueError where it cannot be understood."""
    from latex2mathml.converter import convert

    formula = formula.strip().replace(r"\|", r"\Vert ")
    # The converter leaves out the small space that TeX puts around names of functions.
    function = r"\\(?:log|ln|exp)(?![a-z])(?:_\{\w+\}|_\w)?"
    opens = r"\\[Bb]ig|\\left|\\,"
    if display == "block":  # limits below the sign, also above a brace
        formula = formula.replace(r"\sum_", r"\sum\limits_")
    formula = re.sub(rf"({function})\s*(?=[A-Za-z\d\\])(?!{opens})", r"\1\,", formula)
    formula = re.sub(rf"(?<=[\w)}}])\s*({function})", r"\,\1", formula)
    result = convert(formula, display=display)
    unknown = re.search(r"<mi>(\\[A-Za-z]+)</mi>", result)
    if unknown:
        raise ValueError(f"{unknown[1]} is not understood in the formula {formula!r}.")
    return result


def title_of(notebook: NotebookNode) -> str:
    """'05 KL divergence', without the question that may follow after a colon."""
    title = re.search(r"^# (.+)$", notebook.cells[0].source, re.MULTILINE)[1]
    return re.sub(r"(?<=^\d\d )(.+?): .+\?$", r"\1", title)


def question_of(notebook: NotebookNode) -> str:
    """The question of a lesson: in its title, or bold, or where its text begins."""
    for start in (r"# .+?: (.+\?)$", r"\*\*(.+\?.*?)\*\*", r"([^#!*\n][^?\n]*\?)"):
        if found := re.search("^" + start, notebook.cells[0].source, re.MULTILINE):
            return found[1][0].upper() + found[1][1:]
    raise ValueError(f"{title_of(notebook)} asks no question in its first cell.")


def mended(html: str) -> str:
    """The page with what templates cannot do: wide parts scroll, also by keyboard."""
    soup = BeautifulSoup(html, features="html.parser")
    for pre in soup.find_all("pre"):
        pre["tabindex"] = "0"
    for table in soup.find_all("table"):
        table.wrap(soup.new_tag("div", attrs={"class": "table", "tabindex": "0"}))
    for figure in soup.select(".output_png"):
        caption = figure.find_next(class_="output_markdown")
        alt = " ".join(figure.img["alt"].split())
        # A caption equal to the alternative would be read aloud twice.
        if caption and " ".join(caption.text.split()) == alt:
            caption["aria-hidden"] = "true"
    # All pages lie in one folder, lessons and second visits.
    ours = re.compile(r"^[\w./]*?(\d\d_\w+|glossary)\.(ipynb|md)")
    for link in soup.find_all("a", href=ours):
        link["href"] = ours.sub(r"\1.html", link["href"])
    # Blank lines that the templates leave; those in <pre> are not between two tags.
    return re.sub(r">\n\s*\n\s*<(?!/?span|/pre)", ">\n<", str(soup))


def page(exporter: Exporter, notebook: NotebookNode, **resources) -> str:
    """The HTML of one notebook.

    Args:
        resources: `title`; `previous` and `next`, each None or with `page` and `title`;
            `binder`, an address where the notebook can be run.
    """
    html, _ = exporter.from_notebook_node(notebook, resources=dict(resources))
    return mended(html)


def index(notebooks: dict[Path, NotebookNode], readme: str) -> NotebookNode:
    """The first page, as a notebook of one cell: what the README says, and links."""
    title, introduction, picture, *_ = readme.removeprefix("# ").split("\n\n")
    rows = []
    for path, notebook in notebooks.items():
        if is_lesson(path):
            visits = [
                VISIT.format(**entry(other, visit))
                for other, visit in notebooks.items()
                if other.name[:2] == path.name[:2] and not is_lesson(other)
            ]
            question = question_of(notebook)
            more = dict(question=question, visits="".join(visits))
            rows.append(ROW.format(**entry(path, notebook), **more))
    rows = "\n".join(rows)
    text = INDEX.format(
        title=title, introduction=introduction, picture=picture, rows=rows
    )
    return of_one_cell(text)


def of_one_cell(text: str) -> NotebookNode:
    return nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(text)])


def page_name(path: Path) -> str:
    return f"{path.stem}.html"


def entry(path: Path, notebook: NotebookNode) -> dict[str, str]:
    """What a link to a notebook's page needs."""
    return {"page": page_name(path), "title": title_of(notebook)}


def neighbours(notebooks: dict[Path, NotebookNode], path: Path) -> dict:
    """`previous` and `next` of a page: lessons, or None at the ends of the series."""
    paths = list(notebooks)
    at = paths.index(path)
    before = [other for other in paths[:at] if is_lesson(other)][-1:]
    after = [other for other in paths[at + 1 :] if is_lesson(other)][:1]
    steps = {"previous": before, "next": after}
    return {
        name: entry(found[0], notebooks[found[0]]) if found else None
        for name, found in steps.items()
    }


def export(folder: Path, paths: list[Path], repository: str | None = None) -> None:
    """Writes all pages, their style and the picture of the README into the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    notebooks = {path: nbformat.read(path, as_version=4) for path in paths}
    exporter = Exporter()
    for path, notebook in notebooks.items():
        html = page(
            exporter,
            notebook,
            title=title_of(notebook),
            binder=BINDER.format(repository, place(path)) if repository else None,
            **neighbours(notebooks, path),
        )
        (folder / page_name(path)).write_text(html, encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    first = index(notebooks, readme)
    html = page(exporter, first, title=title_of(first), previous=None, next=None)
    html = re.sub(r"<(header|footer)>.*?</\1>", "", html, flags=re.DOTALL)
    (folder / "index.html").write_text(html, encoding="utf-8")
    words = (ROOT / "notebooks" / "glossary.md").read_text(encoding="utf-8")
    html = page(exporter, of_one_cell(words), title="Glossary")
    (folder / "glossary.html").write_text(html, encoding="utf-8")
    style = (TEMPLATES / "series" / "style.css").read_text(encoding="utf-8")
    colours = HtmlFormatter(style="default").get_style_defs(".highlight")
    # Its purple is a little too pale on the ground of our cells (contrast 4.47).
    colours = colours.replace("#A2F", "#8A1CC9")
    (folder / "style.css").write_text(style + colours + "\n", encoding="utf-8")
    shutil.copy(ROOT / "README.png", folder)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    default = ROOT / "build" / "html"
    parser.add_argument(
        "folder", nargs="?", type=Path, metavar="FOLDER", default=default
    )
    parser.add_argument("--repository", metavar="OWNER/REPO", help="link to its Binder")
    options = parser.parse_args()
    try:
        import latex2mathml  # noqa: F401
    except ImportError:
        sys.exit("formulas need latex2mathml: pip install -r tools/requirements.txt")
    paths = notebook_paths()
    export(options.folder, paths, options.repository)
    print(f"{len(paths)} notebooks in {options.folder / 'index.html'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
