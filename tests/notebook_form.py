"""test_notebook_form.py calls these rules, so that all notebooks are built alike.

A rule takes a `Book` and returns a list of problems, each a sentence that says where it
is and what was expected; an empty list means that the notebook keeps the rule. Rules in
`SERIES_RULES` compare notebooks with each other and with `helpers`.
"""

import ast
import io
import itertools
import json
import re
import statistics
import tokenize
import urllib.parse
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from notebook_run import claim_ids

ENDING = ["What we found", "Exercises", "Next", "References"]
EXERCISE_TAGS = ["exercise", "check", "solution"]
LONGEST_CELL, LONG_CELL, LINE_LENGTH = 30, 18, 88
WORDS = (1200, 4000)
OUTPUT_BYTES = 800_000
SHORTEST_ALT = 40
REPEATED_LINES = 5

Problems = list[str]
RULES: dict[str, Callable[["Book"], Problems]] = {}
SERIES_RULES: dict[str, Callable[[list["Book"], list[Path]], Problems]] = {}


def rule(function):
    """Puts a rule into RULES under the name of its function."""
    RULES[function.__name__] = function
    return function


def series_rule(function):
    """Puts a rule about several notebooks into SERIES_RULES."""
    SERIES_RULES[function.__name__] = function
    return function


@dataclass(frozen=True)
class Heading:
    """A heading of a markdown cell; `index` counts the cells of the notebook from 0."""

    level: int
    text: str
    index: int


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
    def opening(self) -> str:
        """All text before the first code cell."""
        parts = []
        for cell in self.cells:
            if cell.cell_type == "code":
                break
            parts.append(cell.source)
        return "\n\n".join(parts)

    @cached_property
    def headings(self) -> list[Heading]:
        found = []
        for index, cell in enumerate(self.cells):
            if cell.cell_type != "markdown":
                continue
            for line in without_fences(cell.source).splitlines():
                if match := re.match(r"(#{1,6}) +(.*?)\s*$", line):
                    found.append(Heading(len(match[1]), match[2], index))
        return found

    def section(self, title: str) -> list[NotebookNode]:
        """The cells from the heading `## title` to the next one of its level."""
        starts = [h.index for h in self.headings if h.level == 2]
        for h in self.headings:
            if h.level == 2 and h.text == title:
                later = [start for start in starts if start > h.index]
                return self.cells[h.index : later[0] if later else None]
        return []

    def numbered_code(self) -> Iterator[tuple[int, NotebookNode]]:
        """The code cells with their numbers, which a reader sees beside them."""
        return enumerate(self.code, start=1)

    def trees(self) -> Iterator[tuple[int, ast.Module]]:
        """Syntax trees of the code cells; cells with wrong syntax are left out."""
        for number, cell in self.numbered_code():
            try:
                yield number, ast.parse(cell.source)
            except SyntaxError:
                continue  # plain_python reports it


def without_fences(text: str) -> str:
    return re.sub(r"^(```|~~~).*?^\1", "", text, flags=re.DOTALL | re.MULTILINE)


def tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def code_lines(source: str) -> list[str]:
    return [line for line in source.splitlines() if line.strip()]


def strings(tree: ast.AST) -> list[str]:
    nodes = ast.walk(tree)
    return [
        n.value for n in nodes if isinstance(n, ast.Constant) and type(n.value) is str
    ]


def output_text(output: NotebookNode) -> str:
    """Everything in an output that a reader can read as text."""
    data = output.get("data", {})
    texts = [v for k, v in data.items() if k.startswith("text/") and isinstance(v, str)]
    return "\n".join([output.get("text", ""), *texts])


def pictures(cell: NotebookNode) -> Iterator[str]:
    """The text alternative of each picture among a cell's outputs."""
    for output in cell.get("outputs", []):
        for mime in output.get("data", {}):
            if mime.startswith("image/"):
                yield output.get("metadata", {}).get(mime, {}).get("alt", "")


# The skeleton


@rule
def file_name(book: Book) -> Problems:
    if re.fullmatch(r"\d\d_[a-z0-9]+(_[a-z0-9]+)*\.ipynb", book.path.name):
        return []
    return [f"{book.path.name}: a file name looks like 01_plain_autoencoder.ipynb."]


@rule
def title(book: Book) -> Problems:
    titles = [h for h in book.headings if h.level == 1]
    if len(titles) != 1 or titles[0].index != 0:
        return [
            f"There are {len(titles)} titles; there is one '# ', in the first cell."
        ]
    if not re.match(rf"{book.path.name[:2]} \S", titles[0].text):
        return [f"The title {titles[0].text!r} does not begin with the file's number."]
    if not book.cells[0].source.startswith("# "):
        return ["The first cell does not begin with the title."]
    return []


@rule
def opening(book: Book) -> Problems:
    problems, text = [], book.opening
    address = f"?urlpath=lab/tree/notebooks/{book.path.name})"
    badge = text.find(f"https://mybinder.org/v2/gh/OWNER/REPO/HEAD{address}")
    able = text.find("**You will be able to**")
    needs = text.find("**Time**")
    if badge < 0:
        problems.append(f"There is no Binder badge that ends in {address}.")
    if "?" not in text[: badge if badge > 0 else None]:
        problems.append("No question stands before the Binder badge.")
    if able < 0:
        problems.append("**You will be able to** is missing.")
    else:
        # From the marker to the first line after the list that is no part of it.
        points = re.match(r"[^\n]*\n+((?:[-*] .*\n?(?: +\S.*\n?)*)*)", text[able:])
        count = len(re.findall(r"^[-*] ", points[1] if points else "", re.MULTILINE))
        if not 3 <= count <= 5:
            problems.append(
                f"{count} points follow **You will be able to**, not 3 to 5."
            )
    line = r"\*\*Time\*\*.*\d.*minute.*\d.*(second|minute).*\*\*Memory\*\*.*\d+ MiB"
    if not re.search(line + r".*\*\*Before\*\* \S", text.replace("\n", " ")):
        problems.append(
            "A line such as '**Time** 25 minutes to read, 110 seconds to run on two "
            "cores. **Memory** 820 MiB at most. **Before** nothing.' is missing."
        )
    if not problems and not badge < able < needs:
        problems.append("The order is: badge, **You will be able to**, **Time**.")
    return problems


@rule
def headings(book: Book) -> Problems:
    problems, level = [], 0
    for h in book.headings:
        if h.level > level + 1:
            problems.append(f"{h.text!r} has level {h.level} after level {level}.")
        level = h.level
    sections = [h.text for h in book.headings if h.level == 2]
    if sections[-4:] != ENDING:
        problems.append(f"The last four sections are {sections[-4:]}, not {ENDING}.")
    return problems


@rule
def predict_boxes(book: Book) -> Problems:
    boxes = [
        i
        for i, cell in enumerate(book.cells)
        if cell.cell_type == "markdown"
        and re.search(r"^> \*\*Predict\*\*", cell.source, re.MULTILINE)
    ]
    problems = []
    if len(boxes) < 3:
        problems.append(
            f"{len(boxes)} boxes begin with '> **Predict**', at least 3 should."
        )
    for i in boxes:
        if not any(c.cell_type == "code" for c in book.cells[i + 1 : i + 3]):
            problems.append(f"No experiment follows the Predict box in cell {i + 1}.")
    return problems


@rule
def starts_the_runtime(book: Book) -> Problems:
    for number, tree in book.trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("start"):
                name = getattr(node.args[0], "value", None) if node.args else None
                if number == 1 and name == book.path.stem:
                    return []
    return [
        f'The first code cell does not call runtime.start("{book.path.stem}", seed=0).'
    ]


# Saved outputs


@rule
def outputs_of_one_run(book: Book) -> Problems:
    counts = [cell.execution_count for cell in book.code]
    problems = [
        f"Code cell {n} was never executed."
        for n, count in enumerate(counts, start=1)
        if count is None
    ]
    if not problems and counts != list(range(1, len(counts) + 1)):
        problems.append(
            f"Execution counts are {counts}, not 1 to {len(counts)} in order."
        )
    for number, cell in book.numbered_code():
        for output in cell.outputs:
            if (
                output.get("execution_count", cell.execution_count)
                != cell.execution_count
            ):
                problems.append(f"Code cell {number} shows a result of another run.")
    return problems


@rule
def outputs_without_noise(book: Book) -> Problems:
    problems = []
    for number, cell in book.numbered_code():
        for output in cell.outputs:
            text, where = output_text(output), f"Code cell {number}"
            if output.get("name") == "stderr":
                problems.append(f"{where} wrote to stderr: {text.strip()[:80]!r}.")
            elif re.search(r"\w*Warning\b", text):
                problems.append(f"{where} shows a warning: {text.strip()[:80]!r}.")
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                problems.append(f"{where} raised {output.ename}.")
            if address := re.search(r"\b0x[0-9a-f]{8,}", text):
                problems.append(f"{where} shows an address in memory: {address[0]}.")
            if re.search(r"\d %\|", text):
                problems.append(f"{where} prints inside a progress bar, not after it.")
    return problems


@rule
def outputs_small(book: Book) -> Problems:
    size = sum(len(json.dumps(o)) for cell in book.code for o in cell.outputs)
    if size <= OUTPUT_BYTES:
        return []
    return [f"Saved outputs have {size // 1000} kB, at most {OUTPUT_BYTES // 1000} kB."]


@rule
def metadata(book: Book) -> Problems:
    problems = []
    if (book.nb.nbformat, book.nb.nbformat_minor) != (4, 5):
        problems.append("The format is not nbformat 4.5.")
    if book.nb.metadata.get("kernelspec", {}).get("name") != "python3":
        problems.append("The kernel is not python3.")
    if "widgets" in book.nb.metadata:
        problems.append("The state of widgets is saved; it changes with every run.")
    for number, cell in book.numbered_code():
        if "execution" in cell.metadata:
            problems.append(f"Code cell {number} has time stamps.")
        for output in cell.outputs:
            if any("jupyter.widget" in mime for mime in output.get("data", {})):
                problems.append(f"Code cell {number} has a widget among its outputs.")
        if (
            any(tag.startswith("nbval-") for tag in tags(cell))
            or "NBVAL_" in cell.source
        ):
            problems.append(f"Code cell {number} is excused from nbval by a tag.")
    return problems and [*problems, "tools/run_notebooks.py saves all this properly."]


@rule
def figures(book: Book) -> Problems:
    problems, number = [], 0
    for index, cell in enumerate(book.cells):
        if cell.cell_type != "code":
            continue
        number += 1
        alts = list(pictures(cell))
        for alt in alts:
            if len(alt) < SHORTEST_ALT:
                problems.append(
                    f"A picture of code cell {number} has the alt text {alt!r}: it "
                    f"needs {SHORTEST_ALT} characters to say what is to be seen."
                )
        after = book.cells[index + 1 : index + 2]
        reads = after and after[0].cell_type == "markdown"
        if reads and "solution" not in tags(cell):
            reads = not re.match(r"#+ |> \*\*Predict", after[0].source)
        if alts and not reads:
            problems.append(f"No text reads the figure of code cell {number}.")
    return problems


# Claims


@series_rule
def claim_ids_are_unique(books: list[Book], helpers: list[Path]) -> Problems:
    places = defaultdict(list)
    for book in books:
        for number, tree in book.trees():
            for id in claim_ids(ast.unparse(tree)):
                places[id].append(f"{book.path.name} code cell {number}")
    return [
        f"The claim id {id!r} stands in {' and in '.join(where)}."
        for id, where in places.items()
        if len(where) > 1
    ]


# Sizes


@rule
def cell_sizes(book: Book) -> Problems:
    sizes = [len(code_lines(cell.source)) for cell in book.code]
    problems = [
        f"Code cell {n} has {size} lines, at most {LONGEST_CELL} are allowed."
        for n, size in enumerate(sizes, start=1)
        if size > LONGEST_CELL
    ]
    problems += [
        f"Code cell {n} is empty." for n, s in enumerate(sizes, start=1) if not s
    ]
    long = [n for n, size in enumerate(sizes, start=1) if size > LONG_CELL]
    if len(long) > len(sizes) / 10:
        problems.append(
            f"More than one code cell in ten has over {LONG_CELL} lines: {long}."
        )
    if sizes and not 2 <= (median := statistics.median(sizes)) <= 8:
        problems.append(f"The median code cell has {median:g} lines, not 2 to 8.")
    return problems


@rule
def line_lengths(book: Book) -> Problems:
    return [
        f"Code cell {n}: {len(line)} columns, at most {LINE_LENGTH}: {line[:50]}..."
        for n, cell in book.numbered_code()
        for line in cell.source.splitlines()
        if len(line) > LINE_LENGTH
    ]


@rule
def amount_of_text(book: Book) -> Problems:
    problems = []
    words = sum(len(re.findall(r"\w+", cell.source)) for cell in book.text)
    if not WORDS[0] <= words <= WORDS[1]:
        problems.append(f"There are {words:,} words, not {WORDS[0]:,} to {WORDS[1]:,}.")
    # Checks and solutions are folded; they stand below the text of their exercise.
    code = [c for c in book.code if not {"check", "solution"} & set(tags(c))]
    if len(book.text) < 0.8 * len(code):
        problems.append(
            f"{len(book.text)} text cells go with {len(code)} code cells: less than "
            "0.8 of their number."
        )
    return problems


# Code that runs anywhere, and means the same under nbval as in JupyterLab


@rule
def plain_python(book: Book) -> Problems:
    problems = []
    for number, cell in book.numbered_code():
        where = f"Code cell {number}"
        if magic := re.search(r"^\s*([%!?]\S*|\S+\?)\s*", cell.source, re.MULTILINE):
            problems.append(
                f"{where} uses a magic or shell command: {magic[0].strip()}"
            )
            continue
        try:
            ast.parse(cell.source)
        except SyntaxError as error:
            problems.append(f"{where} is no Python: {error}")
            continue
        if _ends_in_semicolon(cell.source):
            problems.append(f"{where}: a ';' ends a line; nbval would show its value.")
    for number, tree in book.trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                if re.fullmatch(r"_+|_i*\d*|_[ido]h|Out|In|exit|quit", node.id):
                    message = f"uses {node.id}, which belongs to the session"
                    problems.append(
                        f"Code cell {number} {message}, not to the notebook."
                    )
    return problems


def _ends_in_semicolon(source: str) -> bool:
    kinds = {tokenize.NEWLINE, tokenize.NL, tokenize.COMMENT, tokenize.ENDMARKER}
    tokens = list(tokenize.generate_tokens(io.StringIO(source).readline))
    pairs = itertools.pairwise(tokens)
    return any(
        a.string == ";" and a.type == tokenize.OP and b.type in kinds for a, b in pairs
    )


@rule
def self_contained(book: Book) -> Problems:
    problems = []
    foreign = {"import_ipynb", "importnb", "nbimporter", "notebooks", "tests", "tools"}
    network = {"urllib", "requests", "httpx", "http", "socket", "aiohttp", "ftplib"}
    for number, tree in book.trees():
        where, names = f"Code cell {number}", set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                names.add((node.module or ".").partition(".")[0])
            elif isinstance(node, ast.keyword) and node.arg == "download":
                if getattr(node.value, "value", True):
                    problems.append(f"{where} downloads data.")
        problems += [
            f"{where} imports {n}." for n in sorted(names & (foreign | network))
        ]
        for text in strings(tree):
            if ".ipynb" in text:
                problems.append(f"{where} names a notebook file: {text[:60]!r}.")
            if re.search(r"\b(https?|ftp)://", text):
                problems.append(f"{where} holds a network address: {text[:60]!r}.")
    return problems


@rule
def no_absolute_paths(book: Book) -> Problems:
    folders = "home|root|work|Users|tmp|usr|var|etc|opt|mnt|data|content|srv"
    pattern = rf"(?<![\w.:/)>])/(?:{folders})/\S*|\b[A-Z]:\\\\?\w+|(?<!\S)~/\w\S*"
    problems = []
    for index, cell in enumerate(book.cells, start=1):
        outputs = [output_text(output) for output in cell.get("outputs", [])]
        if found := re.search(pattern, "\n".join([cell.source, *outputs])):
            problems.append(f"Cell {index} holds an absolute path: {found[0]}")
    return problems


@rule
def no_leftovers(book: Book) -> Problems:
    pattern = r"\b(TODO|FIXME|XXX|TBD)\b|(?i:\blorem ipsum\b)|^(<{7}|>{7}|={7})( |$)"
    return [
        f"Cell {index} holds a leftover: {found[0].strip()}"
        for index, cell in enumerate(book.cells, start=1)
        if (found := re.search(pattern, cell.source, re.MULTILINE))
    ]


# Exercises


@dataclass
class Exercise:
    """The heading of an exercise and its code cells."""

    heading: str
    text: str
    code: list[NotebookNode]


def exercises_of(book: Book) -> list[Exercise]:
    found: list[Exercise] = []
    for cell in book.section("Exercises"):
        is_text = cell.cell_type == "markdown"
        head = re.search(r"^### (.+)", cell.source, re.MULTILINE) if is_text else None
        if head:
            found.append(Exercise(head[1], cell.source, []))
        elif is_text and found:
            found[-1].text += "\n\n" + cell.source
        elif cell.cell_type == "code" and found:
            found[-1].code.append(cell)
    return found


@rule
def exercises(book: Book) -> Problems:
    problems, found = [], exercises_of(book)
    checked = [exercise for exercise in found if exercise.code]
    if len(checked) < 4:
        problems.append(f"{len(checked)} exercises have a check, at least 4 should.")
    for number, exercise in enumerate(found, start=1):
        if not re.match(rf"Exercise {number}: \S", exercise.heading):
            problems.append(f"{exercise.heading!r} should be 'Exercise {number}: ...'.")
        if exercise.code:
            problems += _problems_of_checked(number, exercise.code)
        elif number <= 4:
            problems.append(f"Exercise {number} has no code; open questions come last.")
        elif "<details>" not in exercise.text:
            problems.append(f"Exercise {number} has no solution in <details>.")
    inside = {id(cell) for exercise in found for cell in exercise.code}
    for number, cell in book.numbered_code():
        if set(tags(cell)) & set(EXERCISE_TAGS) and id(cell) not in inside:
            problems.append(f"Code cell {number} is tagged, but in no exercise.")
    return problems


def _problems_of_checked(number: int, cells: list[NotebookNode]) -> Problems:
    where = f"Exercise {number}"
    kinds = [[tag for tag in tags(cell) if tag in EXERCISE_TAGS] for cell in cells]
    if kinds != [[tag] for tag in EXERCISE_TAGS]:
        shown = [", ".join(kind) or "no tag" for kind in kinds]
        return [f"{where}: its code cells are tagged {shown}, not {EXERCISE_TAGS}."]
    stub, check, solution = cells
    problems = []
    folding = solution.metadata.get("jupyter", {})
    if not folding.get("source_hidden") or folding.get("outputs_hidden"):
        problems.append(f"{where}: the solution is not folded (jupyter.source_hidden).")
    try:
        trees = [ast.parse(cell.source) for cell in cells]
    except SyntaxError:
        return problems  # plain_python reports it
    problems += [f"{where}: {p}" for p in _problems_of_stub(stub, trees[0], trees[2])]
    problems += [f"{where}: {p}" for p in _problems_of_check(number, check, trees[1])]
    if f"assert check_{number}()" not in solution.source:
        problems.append(f"{where}: the solution does not assert check_{number}().")
    return problems


def _problems_of_stub(stub: NotebookNode, tree: ast.Module, solution: ast.Module):
    names, solved = _defined(tree), _defined(solution)
    if not names.keys() & solved.keys():
        yield f"the solution redefines none of {sorted(names)}."
    if not any(_is_blank(node) for node in ast.walk(tree)):
        yield "nothing is left open in the stub; it has no `...`."
    for name in names.keys() & solved.keys():
        if names[name] == solved[name]:
            yield f"the stub holds the solution of {name}."
    comments = [
        line for line in stub.source.splitlines() if line.lstrip().startswith("#")
    ]
    for statement in ast.walk(solution):
        if isinstance(statement, ast.Return | ast.Assign):
            text = ast.unparse(statement)
            if len(text) > 12 and any(text in comment for comment in comments):
                yield f"a comment of the stub gives the solution away: {text}"


def _defined(tree: ast.Module) -> dict[str, str]:
    """Names that a cell defines at its top level, with their syntax trees."""
    found = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            found[node.name] = dump(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            for name in (
                n.id for t in targets for n in ast.walk(t) if type(n) is ast.Name
            ):
                found[name] = ast.dump(node)
    return found


def _is_blank(node: ast.AST) -> bool:
    if isinstance(node, ast.Constant) and node.value is ...:
        return True
    returns_none = (
        isinstance(node, ast.Return) and getattr(node.value, "value", 0) is None
    )
    return returns_none or isinstance(node, ast.Pass)


def _problems_of_check(number: int, cell: NotebookNode, tree: ast.Module):
    for node in tree.body:
        targets = [ast.unparse(t) for t in getattr(node, "targets", [])]
        call = getattr(node, "value", None)
        if targets == [f"check_{number}"] and isinstance(call, ast.Call):
            break
    else:
        yield f'the check is not check_{number} = exercise("{number}", ...).'
        return
    if not call.args or getattr(call.args[0], "value", None) != str(number):
        yield f'the first argument of its check is not "{number}".'
    # Some questions have only one plausible wrong answer: the tag says it is meant.
    if "few-mistakes" in tags(cell):
        return
    given = {keyword.arg: keyword.value for keyword in call.keywords}.get("mistakes")
    if isinstance(given, ast.Name):
        same = [n for n in tree.body if given.id in map(ast.unparse, _targets(n))]
        given = same[-1].value if same else given
    count = len(getattr(given, "keys", getattr(given, "elts", [])))
    if count < 2:
        yield f"its check names {count} mistakes, at least 2 (or the tag few-mistakes)."


def _targets(node: ast.AST) -> list[ast.expr]:
    return getattr(node, "targets", [])


# Code in two places


@series_rule
def no_repeated_code(books: list[Book], helpers: list[Path]) -> Problems:
    places, taught = defaultdict(set), taught_in(helpers)
    for book in books:
        here = {name for name, (n, _) in taught.items() if n == book.path.name[:2]}
        for number, cell in book.numbered_code():
            for block in _blocks(_without(cell.source, here)):
                places[block].add(
                    (book.path.name, f"{book.path.name} code cell {number}")
                )
    for module in helpers:
        for block in _blocks(module.read_text(encoding="utf-8")):
            places[block].add(("helpers", f"helpers/{module.name}"))
    twins = Counter()
    for found in places.values():
        files = {file for file, _ in found}
        if len(files) > 1:
            twins[tuple(sorted(where for _, where in found))] += 1
    return [
        f"The same {REPEATED_LINES + count - 1} lines stand in {' and '.join(where)}."
        for where, count in twins.items()
    ]


@series_rule
def taught_code_is_the_same(books: list[Book], helpers: list[Path]) -> Problems:
    problems = []
    for name, (number, expected) in taught_in(helpers).items():
        found = [
            dump(node)
            for book in books
            if book.path.name.startswith(number)
            for _, tree in book.trees()
            for node in tree.body
            if getattr(node, "name", None) == name
        ]
        if not found:
            problems.append(
                f"helpers.models: {name} is taught in {number}, but not there."
            )
        elif expected not in found:
            problems.append(f"helpers.models: {name} differs from the one in {number}.")
    return problems


def taught_in(helpers: list[Path]) -> dict[str, tuple[str, str]]:
    """Classes and functions of models.py: name -> (number of notebook, syntax tree)."""
    found = {}
    for module in helpers:
        if module.name != "models.py":
            continue
        for node in ast.parse(module.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.ClassDef | ast.FunctionDef):
                match = re.search(r"Taught in (\d\d)", ast.get_docstring(node) or "")
                if match:
                    found[node.name] = (match[1], dump(node))
    return found


def dump(node: ast.AST) -> str:
    """The syntax tree as text, without docstrings."""
    tree = ast.parse(ast.unparse(node))
    for part in ast.walk(tree):
        documented = isinstance(part, ast.ClassDef | ast.FunctionDef)
        if documented and ast.get_docstring(part) is not None:
            del part.body[0]
    return ast.dump(tree)


def _without(source: str, names: set[str]) -> str:
    """The source without the lines of these classes and functions."""
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return source
    lines = source.splitlines()
    for node in body:
        if getattr(node, "name", None) in names:
            lines[node.lineno - 1 : node.end_lineno] = [""] * (
                node.end_lineno - node.lineno + 1
            )
    return "\n".join(lines)


def _blocks(source: str) -> set[str]:
    """All runs of consecutive lines, without comments, imports and closing brackets."""
    ignored = r"\s*(#|import |from |[)\]}]+,?$)"
    kept = [line.strip() for line in code_lines(source) if not re.match(ignored, line)]
    starts = range(len(kept) - REPEATED_LINES + 1)
    return {"\n".join(kept[i : i + REPEATED_LINES]) for i in starts}


# References and links


@rule
def references(book: Book) -> Problems:
    text = "\n".join(c.source for c in book.section("References"))
    entries = re.split(r"^(?:[-*]|\d+\.) ", text, flags=re.MULTILINE)[1:]
    source = r"\b10\.\d{4,}/\S|arxiv|https?://"
    count = sum(bool(re.search(source, entry, re.IGNORECASE)) for entry in entries)
    if count >= 3:
        return []
    return [
        f"{count} references have a DOI, arXiv number or address, at least 3 should."
    ]


@rule
def links(book: Book) -> Problems:
    problems = []
    for index, cell in enumerate(book.cells, start=1):
        if cell.cell_type != "markdown":
            continue
        text = re.sub(r"`[^`\n]*`", "", without_fences(cell.source))
        for mark, label, target in re.findall(r"(!?)\[([^\]]*)\]\(\s*([^)\s]+)", text):
            if mark and not label.strip():
                problems.append(
                    f"Cell {index}: the picture {target} has no alternative."
                )
            address = urllib.parse.urlsplit(target)
            if address.scheme or address.netloc or not address.path:
                continue
            if not (book.path.parent / urllib.parse.unquote(address.path)).exists():
                problems.append(
                    f"Cell {index} links to {target}, which does not exist."
                )
    return problems
