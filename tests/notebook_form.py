"""test_notebook_form.py calls these rules, so that all notebooks are built alike.

A rule takes a `Book` and yields problems, each a sentence that says where it is and
what was expected. No rule counts words, lines, cells or boxes.
"""

import ast
import copy
import re
import tomllib
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from run_notebooks import clean, is_lesson, place
from set_repository import INSTALL_ID, address_in, with_address

ENDING = ["What we found", "Exercises", "Next", "References"]
KINDS = ["exercise", "check", "solution"]
FOLDERS = "home|root|work|Users|tmp|usr|var|etc|opt|mnt|data|content|srv"
ABSOLUTE = rf"(?<![\w.:/)>])/(?:{FOLDERS})/\S*|\b[A-Z]:[\\/]+\w+|(?<!\S)~/\w\S*"
OF_WINDOWS = r"\b[a-z]:[\\/]+\w+[\\/]|(?<!\\)\\\\\w[\w.-]*\\\w"  # in outputs
NETWORK = (
    r"\b(?:import|from) (?:urllib|requests|httpx?|socket|aiohttp|ftplib)\b|"
    r"\bdownload=True|\b(?:https?|ftp)://\S*"
)
LEFTOVER = r"\b(?:TODO|FIXME|XXX|TBD)\b|(?i:\blorem ipsum\b)|^(?:<{7}|>{7}|={7})(?: |$)"
FENCED = re.compile(r"^(```|~~~).*?^\1|`[^`\n]*`", re.DOTALL | re.MULTILINE)

Problems = Iterator[str]
RULES: dict[str, Callable[["Book"], Problems]] = {}


def rule(function):
    """Puts a rule into RULES under the name of its function."""
    RULES[function.__name__] = function
    return function


@dataclass
class Book:
    """A notebook and what the rules ask about it."""

    path: Path
    nb: NotebookNode

    @classmethod
    def read(cls, path: Path) -> "Book":
        return cls(path, nbformat.read(path, as_version=nbformat.NO_CONVERT))

    @property
    def cells(self) -> list[NotebookNode]:
        return self.nb.cells

    @property
    def code(self) -> list[NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "code"]

    @property
    def text(self) -> list[NotebookNode]:
        return [cell for cell in self.cells if cell.cell_type == "markdown"]

    @property
    def own_code(self) -> list[NotebookNode]:
        """The code cells, without the one that installs the course."""
        return [cell for cell in self.code if cell.id != INSTALL_ID]

    def headings(self, level: int) -> list[str]:
        text = FENCED.sub("", "\n\n".join(cell.source for cell in self.text))
        return re.findall(rf"^#{{{level}}} +(.+?)\s*$", text, re.MULTILINE)


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def output_text(output: NotebookNode) -> str:
    """Everything in an output that a reader can read as text."""
    data = output.get("data", {})
    texts = [v for k, v in data.items() if k.startswith("text/") and isinstance(v, str)]
    return "\n".join([output.get("text", ""), *texts])


# The skeleton


@rule
def skeleton(book: Book) -> Problems:
    number, titles = book.path.name[:2], book.headings(1)
    if not re.fullmatch(r"\d\d(_[a-z0-9]+)+\.ipynb", book.path.name):
        yield f"{book.path.name}: a file name looks like 01_plain_autoencoder.ipynb."
    if len(titles) != 1 or not re.match(rf"# {number}\b", book.cells[0].source):
        yield f"The first cell begins with the only title, '# {number} ...'."
    if "?" not in book.cells[0].source:
        yield "The first cell does not ask the notebook's question."
    sections = book.headings(2)
    if is_lesson(book.path) and sections[-4:] != ENDING:
        yield f"The last four sections are {sections[-4:]}, not {ENDING}."
    if "References" not in sections:
        yield "There is no section 'References'."


@rule
def start(book: Book) -> Problems:
    name = f'runtime.start("{book.path.stem}", seed=0'
    lines = [line for line in book.own_code[0].source.splitlines() if line.strip()]
    starts = len(lines) == 2 and lines[1].startswith(f"run = {name}")
    if not starts or lines[0] != "from helpers import runtime":
        yield f"The first code cell is not the import of runtime and 'run = {name}'."


@rule
def repository(book: Book) -> Problems:
    """Links and installation hold one address, as tools/set_repository.py wrote it."""
    address = address_in(book.nb)
    same = copy.deepcopy(book.nb)
    with_address(same, place(book.path), address)
    if [cell.source for cell in same.cells] != [cell.source for cell in book.cells]:
        yield f"{address}: run tools/set_repository.py with an address, or without one."


# Saved outputs


@rule
def outputs_of_one_run(book: Book) -> Problems:
    """What is saved is what tools/run_notebooks.py saves after a run without errors."""
    saved = copy.deepcopy(book.nb)
    clean(saved)
    pairs = zip(book.cells, saved.cells, strict=True)
    other = [i for i, (cell, same) in enumerate(pairs, start=1) if cell != same]
    if other or {**book.nb, "cells": []} != {**saved, "cells": []}:
        yield f"It was not saved by tools/run_notebooks.py; see its cells {other}."
    for number, cell in enumerate(book.cells, start=1):
        for output in cell.get("outputs", []):
            if output.get("name") == "stderr":
                yield f"Cell {number} wrote to stderr: {output.text[:80]!r}."
            if output.output_type == "error":
                yield f"Cell {number} raised {output.ename}."


@rule
def figures(book: Book) -> Problems:
    for number, cell in enumerate(book.cells, start=1):
        for output in cell.get("outputs", []):
            for kind in output.get("data", {}):
                described = output.metadata.get(kind, {}).get("alt", "").strip()
                if kind.startswith("image/") and not described:
                    yield f"A picture of cell {number} has no alternative text."


@rule
def captions(book: Book) -> Problems:
    """Captions stand in `captions.toml`, not in cells: they would tell what comes."""
    shown = []
    for number, cell in enumerate(book.own_code, start=1):
        for call in ast.walk(ast.parse(cell.source)):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "show":
                caption = call.args[1].value if len(call.args) == 2 else None
                if isinstance(caption, int):
                    shown.append((number, call.lineno, str(caption)))
                else:
                    yield f"Own cell {number} shows a figure without a number."
    shown = [caption for *_, caption in sorted(shown)]
    paths = [folder / "captions.toml" for folder in book.path.parents[:2]]
    tables = [tomllib.loads(p.read_text(encoding="utf-8")) for p in paths if p.exists()]
    table = tables[0].get(book.path.stem, {}) if tables else {}
    if shown != [str(n + 1) for n in range(len(shown))]:
        yield f"Figures are numbered {', '.join(shown)}, not from 1 in their order."
    if list(table) != shown:
        yield f"captions.toml has {len(table)} captions, and {len(shown)} are shown."


# Code and text that work anywhere


@rule
def plain_python(book: Book) -> Problems:
    for number, cell in enumerate(book.own_code, start=1):
        try:
            ast.parse(cell.source)
        except SyntaxError as error:  # also a magic or a shell command
            yield f"Code cell {number} is no plain Python: {error.text!r}"
        if found := re.search(NETWORK, cell.source):
            yield f"Code cell {number} asks the network: {found[0]}"


@rule
def nothing_of_this_machine(book: Book) -> Problems:
    for number, cell in enumerate(book.cells, start=1):
        outputs = [output_text(output) for output in cell.get("outputs", [])]
        for pattern, texts in (
            (ABSOLUTE, [cell.source, *outputs]),
            (OF_WINDOWS, outputs),
        ):
            if found := re.search(pattern, "\n".join(texts)):
                yield f"Cell {number} holds an absolute path: {found[0]}"
        if found := re.search(LEFTOVER, cell.source, re.MULTILINE):
            yield f"Cell {number} holds a leftover: {found[0]}"


@rule
def links(book: Book) -> Problems:
    for number, cell in enumerate(book.cells, start=1):
        text = FENCED.sub("", cell.source) if cell.cell_type == "markdown" else ""
        for mark, label, target in re.findall(r"(!?)\[([^][]*)\]\(\s*([^)\s]+)", text):
            where, address = f"Cell {number}: {target}", urllib.parse.urlsplit(target)
            path = urllib.parse.unquote(address.path)
            if mark and not label.strip():
                yield f"{where} is a picture without an alternative text."
            if mark and address.netloc:
                yield f"{where} is a picture that a reader without a network misses."
            if address.scheme == "attachment":
                if path not in cell.get("attachments", {}):
                    yield f"{where} is not attached to the cell."
            elif not address.scheme and path and not (book.path.parent / path).exists():
                yield f"{where} does not exist."


@rule
def pair(book: Book) -> Problems:
    """A lesson and its second visit lead to each other."""
    here = book.path.parent
    folder = here / "further" if is_lesson(book.path) else here.parent
    text = "\n".join(cell.source for cell in book.text)
    for other in folder.glob(f"{book.path.name[:2]}_*.ipynb"):
        if f"/{other.name})" not in text:
            yield f"No link leads to {other.name}."


@rule
def heads_of_tables(book: Book) -> Problems:
    """Each column has a head of words: a screen reader does not read out a formula."""
    for number, cell in enumerate(book.cells, start=1):
        text = FENCED.sub("", cell.source) if cell.cell_type == "markdown" else ""
        for row in re.findall(r"^\|(.+)\|\n\|[-:| ]+\|$", text, re.MULTILINE):
            heads = [re.sub(r"\$[^$]*\$", "", head).strip() for head in row.split("|")]
            if not all(heads):
                yield f"Cell {number}: a column's head has no words: |{row}|"


# Exercises: stub, check and solution, anywhere in the notebook


@rule
def exercises(book: Book) -> Problems:
    tagged = [cell for cell in book.code if set(tags(cell)) & set(KINDS)]
    kinds = [kind for cell in tagged for kind in tags(cell) if kind in KINDS]
    if kinds != KINDS * (len(tagged) // 3):
        yield f"The tags of exercises come in the order {kinds}, not {KINDS}, ..."
        return
    text = "\n".join(cell.source for cell in book.text)
    for number in range(1, len(tagged) // 3 + 1):
        if not re.search(rf"\bExercise {number}\b", text):
            yield f"No text speaks of Exercise {number}."
        cells = tagged[3 * number - 3 : 3 * number]
        try:
            trees = [ast.parse(cell.source) for cell in cells]
        except SyntaxError:
            continue  # plain_python reports it
        problems = [*problems_of_stub(trees[0], trees[2], cells[0].source)]
        problems += problems_of_check(number, trees[1])
        if not cells[2].metadata.get("jupyter", {}).get("source_hidden"):
            problems.append("the solution is not folded (jupyter.source_hidden).")
        if f"assert check_{number}()" not in cells[2].source:
            problems.append(f"the solution does not assert check_{number}().")
        yield from (f"Exercise {number}: {problem}" for problem in problems)


def problems_of_stub(stub: ast.Module, solution: ast.Module, source: str) -> Problems:
    names, solved = defined(stub), defined(solution)
    if not names.keys() & solved.keys():
        yield f"the solution defines none of {sorted(names)} again."
    blanks = [getattr(node, "value", None) is ... for node in ast.walk(stub)]
    if not any(blanks):
        yield "nothing is left open in the stub; it has no `...`."
    if any(names[name] == solved[name] for name in names.keys() & solved.keys()):
        yield "the stub holds the solution."
    comments = " ".join(re.findall(r"#.*", source))
    for node in ast.walk(solution):
        if isinstance(node, ast.Return | ast.Assign):
            if len(text := ast.unparse(node)) > 12 and text in comments:
                yield f"a comment of the stub gives the solution away: {text}"


def problems_of_check(number: int, check: ast.Module) -> Problems:
    values = {
        ast.unparse(target): node.value
        for node in check.body
        if isinstance(node, ast.Assign)
        for target in node.targets
    }
    call = values.get(f"check_{number}")
    if not (isinstance(call, ast.Call) and call.args) or ast.unparse(
        call.args[0]
    ) not in (f"'{number}'", f'"{number}"'):
        yield f'the check is not check_{number} = exercise("{number}", ...).'
        return
    given = {keyword.arg: keyword.value for keyword in call.keywords}.get("mistakes")
    given = values.get(given.id, given) if isinstance(given, ast.Name) else given
    if not (getattr(given, "keys", None) or getattr(given, "elts", None)):
        yield "its check names no mistakes."


def defined(tree: ast.Module) -> dict[str, str]:
    """What a cell defines at its top level: names with their syntax trees."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = dump(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            for target in getattr(node, "targets", None) or [node.target]:
                for name in ast.walk(target):
                    if isinstance(name, ast.Name):
                        found[name.id] = ast.dump(node)
    return found


# Code in two places


def taught_code(books: list[Book], models: Path) -> Problems:
    """What `helpers.models` says was "Taught in NN" stands there, and is the same."""
    for node in ast.parse(models.read_text(encoding="utf-8")).body:
        said = re.search(r"Taught in (\d\d)", docstring(node))
        if said is None:
            continue
        found = [
            dump(twin)
            for book in books
            if book.path.name.startswith(said[1])
            for cell in book.code
            for twin in ast.parse(cell.source).body
            if getattr(twin, "name", None) == node.name
        ]
        if dump(node) not in found:
            differs = "differs from the one in" if found else "is not taught in"
            yield f"helpers.models: {node.name} {differs} {said[1]}."


def docstring(node: ast.AST) -> str:
    is_documented = isinstance(node, ast.ClassDef | ast.FunctionDef)
    return (ast.get_docstring(node) or "") if is_documented else ""


def dump(node: ast.AST) -> str:
    """The syntax tree as text, without docstrings."""
    tree = ast.parse(ast.unparse(node))
    for part in ast.walk(tree):
        if docstring(part):
            del part.body[0]
    return ast.dump(tree)
