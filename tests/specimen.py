"""Tests of tests and tools build this small notebook, which keeps all rules of form.

Its outputs are those that a run would save, so that it can be damaged in memory.
"""

from base64 import b64encode

import nbformat
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from run_notebooks import clean

STEM = "01_specimen"
PICTURE = b64encode(b"no picture, but as good as one here").decode()
OPENING = """\
# 01 A specimen

**How little can a notebook hold and still keep every rule?**

![A line through a cloud of points](attachment:line.png)"""
START = f"""\
from helpers import runtime

run = runtime.start("{STEM}", seed=0)"""
FIGURE = """\
from IPython.display import Image, display

display(Image(b"x", format="png"), metadata={"image/png": {"alt": "A line."}})"""


def build() -> NotebookNode:
    """The specimen with outputs: a new copy at each call."""
    text, code = new_markdown_cell, new_code_cell
    picture = new_output(
        "display_data",
        data={"image/png": PICTURE},
        metadata={"image/png": {"alt": "A line."}},
    )
    opening = text(OPENING, attachments={"line.png": {"image/png": PICTURE}})
    cells = [
        opening,
        code(START, outputs=[new_output("stream", text="Seed 0.\n")]),
        text("## A figure\n\n**Exercise 1.** Square x."),
        code("from helpers.checks import exercise"),
        code(FIGURE, outputs=[picture]),
        *_exercise(1),
        text("## What we found\n\nNothing. See [the title](#01-A-specimen)."),
        text("## Exercises\n\n### Exercise 2: cube\n\nRaise x to the power of 3."),
        *_exercise(2),
        text(
            "### Exercise 3\n\nDiscuss.\n\n<details>One that you can explain.</details>"
        ),
        text(f"## Next\n\nRead [this]({STEM}.ipynb) again."),
        text("## References\n\n- C. F. Gauss (1809), *Theoria motus*."),
    ]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:02}"
    notebook = nbformat.from_dict(new_notebook(cells=cells))
    clean(notebook)
    return notebook


def _exercise(n: int) -> list[NotebookNode]:
    stub = f"def power_{n}(x):\n    return ...  # x to the power of {n + 1}"
    check = (
        f'check_{n} = exercise(\n    "{n}",\n    lambda: power_{n}(3),\n'
        f"    expected={3 ** (n + 1)},\n    mistakes={{\n"
        f'        {3 * (n + 1)}: "This is a multiple.",\n    }},\n)'
    )
    solution = f"def power_{n}(x):\n    return x ** {n + 1}\n\n\nassert check_{n}()"
    folded = {"tags": ["solution"], "jupyter": {"source_hidden": True}}
    return [
        new_code_cell(stub, metadata={"tags": ["exercise"]}),
        new_code_cell(check, metadata={"tags": ["check"]}),
        new_markdown_cell("The next cell is folded and holds a solution."),
        new_code_cell(solution, metadata=folded),
    ]
