"""pytest runs this: each notebook keeps each rule of notebook_form.py, and each rule
notices the damage for which it is there."""

from functools import cache

import pytest
import specimen
from nbformat.v4 import new_output
from notebook_form import RULES, Book, taught_code
from run_notebooks import ROOT, notebook_paths

NOTEBOOKS = notebook_paths()
read = cache(Book.read)


@pytest.mark.parametrize("name", RULES)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook(path, name):
    problems = list(RULES[name](read(path)))
    assert not problems, "\n" + "\n".join(problems)


def test_taught_code():
    books = [read(path) for path in NOTEBOOKS]
    problems = list(taught_code(books, ROOT / "helpers" / "models.py"))
    assert not problems, "\n" + "\n".join(problems)


# Damage: the rule, a word of its message, the cell with this text, what happens to it


def replaced(old: str, new: str):
    def damage(cell):
        assert old in cell.source
        cell.source = cell.source.replace(old, new)

    return damage


def more(text: str):
    return lambda cell: cell.update(source=cell.source + text)


def output(kind: str, **content):
    return lambda cell: cell.outputs.append(new_output(kind, **content))


SOLVED = replaced("...  # x to the power of 2", "x ** 2")
STAMP = {"execution": {"iopub.status.busy": "2020"}}
DAMAGES = {
    "two titles": ("skeleton", "only title", "## A figure", more("\n\n# Another")),
    "no question": ("skeleton", "question", "# 01", replaced("?", ".")),
    "no findings": ("skeleton", "What we found", "## What", replaced("## ", "")),
    "no sources": ("skeleton", "'References'", "## Ref", replaced("## ", "")),
    "other name": ("start", "01_specimen", "run =", replaced("01_specimen", "02_x")),
    "a caption in a cell": (
        *("captions", "without a number", "from IPython"),
        more('\nshow(figure, "A line that rises to the right.")'),
    ),
    "no such caption": (
        *("captions", "0 captions, and 1", "from IPython"),
        more("\nshow(figure, 1)"),
    ),
    "a wrong number": (
        *("captions", "not from 1", "from IPython"),
        more("\nshow(figure, 2)"),
    ),
    "more imports": ("start", "01_specimen", "run =", more("\nimport torch")),
    "other links": (
        *("repository", "set_repository", "# 01"),
        more("\n\nWithout installing: [Binder](https://a.b) · [Colab](https://a.b)"),
    ),
    "not run": ("outputs_of_one_run", "saved", "run =", {"execution_count": None}),
    "other order": ("outputs_of_one_run", "saved", "run =", {"execution_count": 7}),
    "time stamps": ("outputs_of_one_run", "saved", "run =", {"metadata": STAMP}),
    "stderr": (
        *("outputs_of_one_run", "stderr", "run ="),
        output("stream", name="stderr", text="loading"),
    ),
    "error": (
        *("outputs_of_one_run", "ValueError", "run ="),
        output("error", ename="ValueError", evalue="no", traceback=[]),
    ),
    "figure without alt": (
        *("figures", "no alternative", "run ="),
        output("display_data", data={"image/png": "abcd"}),
    ),
    "shell": ("plain_python", "!ls", "run =", more("\n!ls")),
    "download": ("plain_python", "download", "run =", more("\nf(download=True)")),
    "network": ("plain_python", "requests", "run =", more("\nimport requests")),
    "address": ("plain_python", "ftp://", "run =", more('\nx = "ftp://a.b/c"')),
    "path": ("nothing_of_this_machine", "/home/me", "run =", more('\n"/home/me/x"')),
    "path in output": (
        *("nothing_of_this_machine", "/tmp/xyz", "run ="),
        output("stream", text="saved in /tmp/xyz/a.png"),
    ),
    **{
        f"path of Windows {i}": (
            *("nothing_of_this_machine", "absolute", "run ="),
            output("stream", text=f"saved in {path}\n"),
        )
        for i, path in enumerate(
            [
                r"C:\Users\me",
                r"'D:\\me'",
                "C:/Users/me",
                r"c:\temp\x",
                r"\\server\share",
            ]
        )
    },
    "leftover": ("nothing_of_this_machine", "TODO", "## A", more("\n\nTODO: more")),
    "dead link": ("links", "02_absent", "## Next", more(" [02](02_absent.ipynb)")),
    "not attached": ("links", "not attached", "# 01", {"attachments": {}}),
    "drawing without alt": (
        "links",
        "alternative",
        "# 01",
        {"source": "# 01 ![](a.png)"},
    ),
    "badge": ("links", "without a network", "# 01", more("[![B](http://a.b)](c)")),
    "no partner": ("pair", "01_other", "## Next", more("")),
    "only a formula": (
        *("heads_of_tables", "no words", "## What"),
        more("\n\n| $z$ | place |\n|---|---|\n| 0 | 1 |"),
    ),
    "empty head": (
        *("heads_of_tables", "no words", "## What"),
        more("\n\n| | place |\n|---|---|\n| 0 | 1 |"),
    ),
    "no tag": ("exercises", "in the order", "def power_2", {"metadata": {}}),
    "no number": ("exercises", "Exercise 2", "### Ex", replaced("Exercise 2", "Two")),
    "solved": ("exercises", "the solution.", "def power_1", SOLVED),
    "nothing open": ("exercises", "no `...`", "def power_1", SOLVED),
    "given away": ("exercises", "away", "def power_1", more("  # return x ** 2")),
    "other stub": ("exercises", "none of", "return ...", replaced("power_1", "p")),
    "other check": ("exercises", "is not check_1", "check_1 =", replaced('"1"', '"2"')),
    "no mistakes": ("exercises", "no mistakes", "check_1 =", replaced("mist", "m")),
    "not folded": (
        "exercises",
        "folded",
        "assert",
        {"metadata": {"tags": ["solution"]}},
    ),
    "not asserted": ("exercises", "not assert", "assert", replaced("assert ", "")),
}


@pytest.fixture
def book(tmp_path) -> Book:
    path = tmp_path / f"{specimen.STEM}.ipynb"
    path.touch()  # its links lead to itself
    return Book(path, specimen.build())


@pytest.mark.parametrize("name", RULES)
def test_the_specimen_keeps_the_rule(book, name):
    assert list(RULES[name](book)) == []


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_noticed(book, damage):
    name, word, place, change = DAMAGES[damage]
    if name == "pair":
        (book.path.parent / "further").mkdir()
        (book.path.parent / "further" / "01_other.ipynb").touch()
    cell = next(cell for cell in book.cells if place in cell.source)
    cell.update(change) if isinstance(change, dict) else change(cell)
    assert word in "\n".join(RULES[name](book))


def test_every_rule_notices_some_damage():
    assert {name for name, *_ in DAMAGES.values()} == set(RULES)


def test_second_visits_may_end_without_exercises(book):
    book.path = book.path.parent / "further" / book.path.name
    book.cells[:] = [c for c in book.cells if "## Exercises" not in c.source]
    assert list(RULES["skeleton"](book)) == []


def test_taught_code_that_differs_is_noticed(book, tmp_path):
    models, source = tmp_path / "models.py", 'class Net:\n    """{}"""\n    size = 3\n'
    models.write_text(source.format("A net. Taught in 01."), encoding="utf-8")
    [problem] = taught_code([book], models)
    assert "Net is not taught in 01" in problem
    book.code[0].source = source.format("Our first net.")
    assert list(taught_code([book], models)) == []
    book.code[0].source = source.format("x").replace("3", "4")
    [problem] = taught_code([book], models)
    assert "Net differs" in problem
