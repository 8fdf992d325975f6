"""test_suite_can_fail.py builds this small notebook, which keeps all rules of form."""

import copy

from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

STEM = "01_specimen"

OPENING = f"""\
# 01 A specimen

How little can a notebook hold and still keep every rule?

[![Binder](https://mybinder.org/badge_logo.svg)](https://mybinder.org/v2/gh/OWNER/REPO/HEAD?urlpath=lab/tree/notebooks/{STEM}.ipynb)

**You will be able to**

- fit a straight line by least squares;
- say how far off its slope is,
  and why;
- draw it.

**Time** 5 minutes to read, 3 seconds to run on two cores. **Memory** 400 MiB at most.
**Before** nothing.
"""

START = f"""\
import matplotlib.pyplot as plt
import numpy as np

from helpers import runtime
from helpers.checks import claim, exercise
from helpers.figures import show

run = runtime.start("{STEM}", seed=0)"""

DATA = """\
rng = np.random.default_rng(run.seed)
x = np.linspace(0, 1, 200)
y = 3 * x + 1 + 0.1 * rng.normal(size=200)"""

FIT = """\
slope, offset = np.polyfit(x, y, deg=1)
claim("line_slope", slope, at_least=2.8, at_most=3.2, says="the slope is found")
claim("line_offset", offset, at_least=0.9, at_most=1.1, says="and the offset")"""

ERROR = """\
error = np.sqrt(np.mean((slope * x + offset - y) ** 2))
claim("line_error", error, at_most=0.13, says="what is left is the noise")"""

FIGURE = """\
figure, axes = plt.subplots()
axes.plot(x, y, ".", x, slope * x + offset, "-")
show(figure, "A cloud of two hundred points with a straight line through it.")"""

PARAGRAPH = """\
A line has two numbers, a slope and an offset, and the points have many more. Whoever
draws the line says with two numbers what the points said with hundreds, and loses only
the noise. The question is always the same: how much is lost, and who would miss it? We
measure it, write the number down, and look at the picture before we believe either.
"""

PREDICT = "> **Predict** Write down your guess before you run the next cell.\n\n"

REFERENCES = """\
## References

- A. M. Legendre (1805), *Nouvelles methodes*. <https://example.org/legendre>
- C. F. Gauss (1809), *Theoria motus*. doi:10.1000/theoria
- D. P. Kingma and M. Welling (2013), *Auto-encoding*. arXiv:1312.6114
"""


def build() -> NotebookNode:
    """The specimen without outputs: a new copy at each call."""
    text, code = new_markdown_cell, new_code_cell
    cells = [text(OPENING), code(START)]
    parts = {
        "Some points": DATA,
        "A line": FIT,
        "What is left": ERROR,
        "See it": FIGURE,
    }
    for heading, source in parts.items():
        cells.append(text(f"## {heading}\n\n{PREDICT}{PARAGRAPH * 3}"))
        cells.append(code(source))
        cells.append(text(PARAGRAPH * 2))
    cells.append(text(f"## What we found\n\n{PARAGRAPH * 2}"))
    cells.append(text("## Exercises"))
    for number in range(1, 5):
        cells += _exercise(number)
    question = "### Exercise 5: What is a good line?\n\nDiscuss."
    cells.append(text(question + "\n\n<details>One that you can explain.</details>"))
    cells += [text("## Next\n\nNothing follows."), text(REFERENCES)]
    for number, cell in enumerate(cells):
        cell.id = f"cell-{number:02}"
    kernel = {"name": "python3", "display_name": "Python 3 (ipykernel)"}
    notebook = new_notebook(cells=cells, metadata={"kernelspec": kernel})
    return copy.deepcopy(notebook)


def _exercise(n: int) -> list[NotebookNode]:
    name = f"power_{n}"
    stub = f"def {name}(x):\n    return ...  # x to the power of {n + 1}"
    check = (
        f'check_{n} = exercise(\n    "{n}",\n    lambda: {name}(3),\n'
        f"    expected={3 ** (n + 1)},\n    mistakes={{\n"
        f'        {3 * (n + 1)}: "This is a multiple.",\n'
        '        3: "Nothing happened.",\n'
        "    },\n)"
    )
    solution = f"def {name}(x):\n    return x ** {n + 1}\n\n\nassert check_{n}()"
    folded = {"tags": ["solution"], "jupyter": {"source_hidden": True}}
    return [
        new_markdown_cell(
            f"### Exercise {n}: Power\n\nRaise x to the power of {n + 1}."
        ),
        new_code_cell(stub, metadata={"tags": ["exercise"]}),
        new_code_cell(check, metadata={"tags": ["check"]}),
        new_markdown_cell("Unfold the next cell for a solution."),
        new_code_cell(solution, metadata=folded),
    ]
