"""pytest runs this: a sound notebook passes all tests, each kind of damage fails one.

The form is damaged in memory. What only a run can show is tried with real kernels, in
one pytest of its own over a copy of the configuration.
"""

import copy
import json
import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import nbformat
import notebook_form
import notebook_run
import pytest
import specimen
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from notebook_form import RULES, Book
from run_notebooks import run_and_save

ROOT = Path(__file__).resolve().parents[1]
COPIED = [
    "conftest.py",
    "pyproject.toml",
    "tests/notebook_form.py",
    "tests/notebook_run.py",
    "tests/test_notebook_form.py",
    "tools/run_notebooks.py",
]


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A folder with the configuration and the specimen, run and saved."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("tests", "tools", "notebooks", "broken"):
        (folder / name).mkdir()
    for name in COPIED:
        shutil.copyfile(ROOT / name, folder / name)
    path = folder / "notebooks" / f"{specimen.STEM}.ipynb"
    nbformat.write(specimen.build(), path)
    run_and_save(path)
    return folder


@pytest.fixture
def book(project) -> Book:
    """The saved specimen, to be damaged."""
    return Book.read(project / "notebooks" / f"{specimen.STEM}.ipynb")


def cell_with(book: Book, text: str):
    return next(cell for cell in book.cells if text in cell.source)


# Damage to the form. DAMAGES says which rule must notice it, and a word of its message.


def no_alt(book):
    for output in cell_with(book, "show(figure").outputs:
        output.metadata = nbformat.NotebookNode()


def figure_not_read(book):
    book.cells.remove(book.cells[book.cells.index(cell_with(book, "show(figure")) + 1])


def unexecuted(book):
    cell_with(book, "polyfit").execution_count = None


def other_order(book):
    cell_with(book, "polyfit").execution_count = 17


def warning_shown(book):
    text = "x.py:3: UserWarning: something"
    cell_with(book, "polyfit").outputs.append(new_output("stream", text=text))


def printed_in_a_bar(book):
    text = "depths:  50 %|████   | 00:02 left3 layers: 92 %"
    cell_with(book, "polyfit").outputs.append(new_output("stream", text=text))


def stderr_shown(book):
    output = new_output("stream", name="stderr", text="loading")
    cell_with(book, "polyfit").outputs.append(output)


def error_shown(book):
    output = new_output("error", ename="ValueError", evalue="no", traceback=[])
    cell_with(book, "polyfit").outputs.append(output)


def large_output(book):
    cell_with(book, "polyfit").outputs.append(new_output("stream", text="x" * 900_000))


def widget_state(book):
    book.nb.metadata["widgets"] = {}


def time_stamps(book):
    cell_with(book, "polyfit").metadata["execution"] = {"iopub.status.busy": "2020"}


def heading_missing(book):
    cell = cell_with(book, "## What we found")
    cell.source = cell.source.replace("## What we found\n", "")


def heading_skipped(book):
    cell = cell_with(book, "## A line")
    cell.source = cell.source.replace("## A line", "## A line\n\n#### Detail")


def two_titles(book):
    cell_with(book, "## A line").source += "\n\n# Another title"


def other_badge(book):
    book.cells[0].source = book.cells[0].source.replace("01_specimen.ipynb", "02.ipynb")


def two_points(book):
    cut = "- draw it.\n"
    book.cells[0].source = (
        book.cells[0]
        .source.replace(cut, "")
        .replace("- say how far off its slope is,\n  and why;\n", "")
    )


def no_memory(book):
    book.cells[0].source = book.cells[0].source.replace("**Memory** 400 MiB", "")


def no_predict(book):
    for cell in book.text[:4]:
        cell.source = cell.source.replace("**Predict**", "Guess:")


def other_start(book):
    book.code[0].source = book.code[0].source.replace("01_specimen", "02_other")


def wrong_name(book):
    book.path = book.path.with_name("Specimen.ipynb")


def claim_without_range(book):
    cell = cell_with(book, "line_error")
    cell.source = cell.source.replace("at_most=0.13, ", "")


def claim_id_not_literal(book):
    cell = cell_with(book, "line_error")
    cell.source = cell.source.replace('"line_error"', 'f"line_{run.seed}"')


def long_cell(book):
    cell_with(book, "polyfit").source += "\nx = x + 0" * 30


def long_line(book):
    cell_with(book, "polyfit").source += "\nz = " + " + ".join(["1"] * 30)


def few_words(book):
    for cell in book.text[1:9]:
        cell.source = cell.source.replace(specimen.PARAGRAPH, "")


def semicolon(book):
    cell_with(book, "axes.plot").source += "\naxes.set_title('x');  # quiet"


def underscore(book):
    cell_with(book, "polyfit").source += "\nprint(_)"


def shell(book):
    cell_with(book, "polyfit").source += "\n!ls"


def magic(book):
    cell_with(book, "polyfit").source = "%%time\nx = 1"


def download(book):
    source = 'MNIST("data", download=True)\nurl = "https://example.org/x"'
    cell_with(book, "polyfit").source += "\n" + source


def foreign_import(book):
    cell_with(book, "polyfit").source += "\nimport requests"


def absolute_path(book):
    cell_with(book, "polyfit").source += '\nfolder = "/home/me/data"'


def absolute_path_in_output(book):
    output = new_output("stream", text="saved in /tmp/xyz/a.png")
    cell_with(book, "polyfit").outputs.append(output)


def leftover(book):
    cell_with(book, "## A line").source += "\n\nTODO: say more."


def not_folded(book):
    del cell_with(book, "check_2()").metadata["jupyter"]


def untagged_stub(book):
    cell_with(book, "def power_2").metadata["tags"] = []


def solution_in_stub(book):
    stub = cell_with(book, "def power_2")
    stub.source = "def power_2(x):\n    return x ** 3"


def solution_in_comment(book):
    cell_with(book, "def power_2").source += "\n    # return x ** 3"


def one_mistake(book):
    cell = cell_with(book, "check_2 = exercise")
    cell.source = cell.source.replace('        3: "Nothing happened.",\n', "")


def solution_not_asserted(book):
    cell = cell_with(book, "assert check_2()")
    cell.source = cell.source.replace("assert ", "")


def three_exercises(book):
    cells = book.cells
    begin = cells.index(cell_with(book, "### Exercise 4"))
    del cells[begin : begin + 5]


def two_references(book):
    book.cells[-1].source = book.cells[-1].source.replace("arXiv:1312.6114", "")


def dead_link(book):
    cell_with(book, "## Next").source += " See [02](02_absent.ipynb)."


def excused(book):
    cell_with(book, "polyfit").metadata["tags"] = ["nbval-skip"]


DAMAGES = {
    no_alt: ("figures", "alt text"),
    figure_not_read: ("figures", "No text reads"),
    unexecuted: ("outputs_of_one_run", "never executed"),
    other_order: ("outputs_of_one_run", "in order"),
    warning_shown: ("outputs_without_noise", "warning"),
    printed_in_a_bar: ("outputs_without_noise", "inside a progress bar"),
    stderr_shown: ("outputs_without_noise", "stderr"),
    error_shown: ("outputs_without_noise", "ValueError"),
    large_output: ("outputs_small", "kB"),
    widget_state: ("metadata", "widgets"),
    time_stamps: ("metadata", "time stamps"),
    excused: ("metadata", "excused"),
    heading_missing: ("headings", "What we found"),
    heading_skipped: ("headings", "level 4 after level 2"),
    two_titles: ("title", "2 titles"),
    other_badge: ("opening", "Binder"),
    two_points: ("opening", "1 points"),
    no_memory: ("opening", "**Memory**"),
    no_predict: ("predict_boxes", "at least 3"),
    other_start: ("starts_the_runtime", "01_specimen"),
    wrong_name: ("file_name", "looks like"),
    claim_without_range: ("claims", "no expected range"),
    claim_id_not_literal: ("claims", "snake_case"),
    long_cell: ("cell_sizes", "at most 30"),
    long_line: ("line_lengths", "at most 88"),
    few_words: ("amount_of_text", "words"),
    semicolon: ("plain_python", "';'"),
    underscore: ("plain_python", "uses _"),
    shell: ("plain_python", "!ls"),
    magic: ("plain_python", "%%time"),
    download: ("self_contained", "downloads"),
    foreign_import: ("self_contained", "requests"),
    absolute_path: ("no_absolute_paths", "/home/me"),
    absolute_path_in_output: ("no_absolute_paths", "/tmp/xyz"),
    leftover: ("no_leftovers", "TODO"),
    not_folded: ("exercises", "not folded"),
    untagged_stub: ("exercises", "no tag"),
    solution_in_stub: ("exercises", "holds the solution"),
    solution_in_comment: ("exercises", "gives the solution away"),
    one_mistake: ("exercises", "names 1 mistakes"),
    solution_not_asserted: ("exercises", "does not assert check_2()"),
    three_exercises: ("exercises", "3 exercises"),
    two_references: ("references", "2 references"),
    dead_link: ("links", "02_absent"),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.__name__)
def test_damage_to_the_form_is_noticed(book, damage):
    damage(book)
    name, word = DAMAGES[damage]
    assert word in "\n".join(RULES[name](book))


def test_every_rule_notices_some_damage():
    assert {name for name, _ in DAMAGES.values()} == set(RULES)


@pytest.mark.parametrize("name", RULES)
def test_specimen_keeps_the_rule(book, name):
    assert RULES[name](book) == []


# Several notebooks


def another(book: Book, *sources: str) -> Book:
    cells = [new_code_cell(source) for source in sources]
    return Book(
        book.path.with_name("02_another.ipynb"), nbformat.v4.new_notebook(cells=cells)
    )


def test_duplicate_claim_is_noticed(book):
    rule = notebook_form.claim_ids_are_unique
    assert rule([book, another(book, "claim('x_y', 1, at_most=2)")], []) == []
    [problem] = rule([book, another(book, "claim('line_slope', 1, at_most=2)")], [])
    assert "line_slope" in problem and "02_another" in problem


LINES = "\n".join(f"value_{i} = compute({i})" for i in range(5))
CLASS = 'class Net:\n    """{}"""\n\n    def size(self):\n        return 3\n'


def test_repeated_code_is_noticed(book, tmp_path):
    rule, module = notebook_form.no_repeated_code, tmp_path / "plumbing.py"
    module.write_text("def f():\n    " + LINES.replace("\n", "\n    "))
    four_lines = another(book, LINES.rpartition("\n")[0])
    assert rule([book, four_lines], [module]) == []
    [problem] = rule([book, another(book, LINES)], [module])
    assert "plumbing.py" in problem and "02_another" in problem
    assert rule([another(book, LINES), copy.deepcopy(book)], []) == []
    book.cells.append(new_code_cell(LINES))
    assert len(rule([book, another(book, LINES)], [])) == 1


def test_taught_class_may_be_repeated_but_not_differ(book, tmp_path):
    model = tmp_path / "models.py"
    long_class = CLASS + "".join(
        f"        # {i}\n        self.a{i} = {i}\n" for i in range(6)
    )
    model.write_text(long_class.format("A net. Taught in 02."))
    twin = another(book, long_class.format("Our first net."))
    assert notebook_form.no_repeated_code([book, twin], [model]) == []
    assert notebook_form.taught_code_is_the_same([book, twin], [model]) == []
    other = another(book, long_class.format("x").replace("return 3", "return 4"))
    [problem] = notebook_form.taught_code_is_the_same([book, other], [model])
    assert "Net differs" in problem
    [problem] = notebook_form.taught_code_is_the_same([book], [model])
    assert "not there" in problem
    elsewhere = another(book, long_class.format("x"))
    elsewhere.path = elsewhere.path.with_name("03_third.ipynb")
    assert notebook_form.no_repeated_code([twin, elsewhere], [model])


# Runs


def write_broken(project: Path, name: str, sources: list[str]) -> None:
    cells = [new_markdown_cell("# Broken"), *map(new_code_cell, sources)]
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3"}
    nbformat.write(notebook, project / "broken" / f"{name}.ipynb")


def run_pytest(project: Path, *arguments: str, **variables: str) -> dict[str, tuple]:
    """Runs pytest in the project: 'file::test' -> (message or None, seconds)."""
    report = project / "report.xml"
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **variables}
    environment.pop("PYTEST_ADDOPTS", None)
    run = subprocess.run(
        [*command, f"--junitxml={report}", *arguments],
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert report.exists(), run.stdout + run.stderr
    results = {}
    for case in ElementTree.parse(report).iter("testcase"):
        failures = [f.get("message", "") + (f.text or "") for f in case.iter("failure")]
        failures += [f.get("message", "") + (f.text or "") for f in case.iter("error")]
        file = case.get("classname").removesuffix(".ipynb").rpartition(".")[2]
        message = failures[0] if failures else None
        results[f"{file}::{case.get('name')}"] = (message, float(case.get("time")))
    return results


def write_exercises(project: Path) -> None:
    """A notebook whose exercises are wrong in three ways that only a run can show."""
    hints = 'mistakes=[(2.0000001, "Half a micron."), (3, "Hidden."), (3, "Shown.")]'
    sources = [
        "from helpers.checks import exercise\nhalf = lambda x: 7",
        f'check_1 = exercise("1", lambda: half(4), expected=2, {hints})',
    ]
    write_broken(project, "08_exercises", sources)
    path = project / "broken" / "08_exercises.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[-1].metadata["tags"] = ["check"]
    nbformat.write(notebook, path)


@pytest.fixture(scope="module")
def results(project) -> dict[str, tuple]:
    """One pytest over the sound specimen and four broken notebooks."""
    imports = "from helpers.checks import claim"
    sound = "claim('slope', 3.0, at_least=2, at_most=4, says='sound')"
    broken_model = "model = lambda x: 0 * x  # forgot to train it\nslope = model(1.0)"
    claimed = "claim('slope', slope, at_least=2, at_most=4, says='a slope')"
    write_broken(project, "02_claim", [imports, broken_model, claimed])
    write_broken(project, "03_skipped", [imports, "if False:\n    " + sound])
    write_broken(project, "04_dies", ["x = 1", "import os\nos._exit(1)", "x = 2"])
    write_broken(project, "05_raises", ["x = 1", "x = 1 / 0", "x = 2"])
    nbval_skip = "# NBVAL_SKIP\nx = 1"
    write_broken(project, "06_excused", [nbval_skip, "import socket"])
    write_exercises(project)
    claims_file = project / "claims.jsonl"
    return run_pytest(
        project, "tests", "notebooks", "broken", CLAIMS_FILE=str(claims_file)
    )


def failed(results: dict[str, tuple], file: str) -> dict[str, str]:
    """The failed tests of one notebook, by name, with their messages."""
    return {
        name.partition("::")[2]: message
        for name, (message, _) in results.items()
        if name.startswith(f"{file}::") and message
    }


def test_sound_notebook_passes(results):
    assert failed(results, specimen.STEM) == {}
    for name in ("Cell 0", "memory", "seconds", "claims", "exercises"):
        assert f"{specimen.STEM}::{name}" in results
    form = {name: message for name, (message, _) in results.items() if "_form" in name}
    assert len(form) > len(RULES)
    assert not any(form.values())


def test_broken_model_is_noticed(results):
    found = failed(results, "02_claim")
    assert set(found) == {"Cell 2"}
    assert "expected 2 to 4" in found["Cell 2"]


def test_skipped_claim_is_noticed(results):
    found = failed(results, "03_skipped")
    assert set(found) == {"claims"}
    assert "slope" in found["claims"]


def test_dead_kernel_is_noticed_at_once(results):
    found = failed(results, "04_dies")
    assert set(found) == {
        "Cell 1",
        "Cell 2",
        "memory",
        "seconds",
        "claims",
        "exercises",
    }
    assert "kernel died" in found["Cell 1"] and "memory" in found["Cell 1"]
    assert "not executed" in found["Cell 2"]
    assert results["04_dies::Cell 1"][1] < 10


def test_error_is_noticed(results):
    found = failed(results, "05_raises")
    assert set(found) == {"Cell 1"}
    assert "ZeroDivisionError" in found["Cell 1"]


def test_excused_cell_is_noticed(results):
    found = failed(results, "06_excused")
    assert "skips this cell" in found["Cell 0"]
    assert "Cell 1" not in found


def test_exercises_that_do_not_teach_are_noticed(results):
    found = failed(results, "08_exercises")
    assert set(found) == {"exercises"}
    assert "does not say what is missing: '✗ Exercise 1: 7" in found["exercises"]
    assert "hint 'Half a micron.' gets: ✓" in found["exercises"]
    assert "hint 'Hidden.' gets: ✗ Exercise 1: Shown." in found["exercises"]


def test_claims_reach_the_file_that_the_user_named(project, results):
    lines = (project / "claims.jsonl").read_text().splitlines()
    ids = [json.loads(line)["id"] for line in lines]
    assert sorted(ids) == ["line_error", "line_offset", "line_slope", "slope"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc")
def test_memory_above_the_budget_is_noticed(project):
    write_broken(project, "07_large", ["x = bytearray(300_000_000)", "del x"])
    budget = "notebook_memory_mib=200"
    found = failed(
        run_pytest(project, "-o", budget, "broken/07_large.ipynb"), "07_large"
    )
    assert set(found) == {"memory"}
    assert "the budget is 200 MiB" in found["memory"]


def test_seconds_above_the_budget_are_noticed():
    notebook_run.judge_seconds(120, 120)
    with pytest.warns(UserWarning, match="121 s, the budget is 120 s"):
        notebook_run.judge_seconds(121, 120)
    with pytest.raises(AssertionError, match="241 s"):
        notebook_run.judge_seconds(241, 120)
    assert notebook_run.seconds_budget("07_variational_autoencoder.ipynb") == 360
    assert notebook_run.seconds_budget("01_plain_autoencoder.ipynb") == 120
