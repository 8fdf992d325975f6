"""pytest runs this: the student's edition keeps all but the solutions, and still runs.

That stubs are open, solutions right and wrong answers met with their hint is asked of
each notebook while it runs (notebook_run.py); here is what the edition adds to it.
"""

import ast
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
import specimen
import student_edition
from nbformat.v4 import new_code_cell
from notebook_form import RULES, Book, dump, tags
from run_notebooks import execute, notebook_paths, place
from student_edition import build, for_nbgrader, for_students, without_solutions

NOTEBOOKS = notebook_paths()
each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def edition(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("editions") / "student"
    build(folder, NOTEBOOKS)
    return folder


def defined(sources: list[str]) -> dict[str, str]:
    """The functions and classes in these sources: name -> syntax tree."""
    nodes = [node for source in sources for node in ast.walk(ast.parse(source))]
    kinds = ast.FunctionDef | ast.ClassDef
    return {node.name: dump(node) for node in nodes if isinstance(node, kinds)}


def names(source: str, context: type) -> set[str]:
    nodes = ast.walk(ast.parse(source))
    found = {n.id for n in nodes if isinstance(n, ast.Name) and type(n.ctx) is context}
    if context is ast.Store:
        found |= set(defined([source]))
    return found


@each_notebook
def test_no_solution_is_left(path, edition):
    original, book = Book.read(path), Book.read(edition / place(path))
    solutions = [c.source for c in original.code if "solution" in tags(c)]
    kept = [c.source for c in book.code]
    assert not any("solution" in tags(cell) for cell in book.cells)
    left = set(defined(solutions).values()) & set(defined(kept).values())
    assert not left
    text = "\n".join(c.source for c in book.text)
    exercises = text.partition("\n## Exercises")[2].partition("\n## ")[0]
    assert "<details>" not in exercises
    assert not re.search(r"folded[^.\n]*solution|solution[^.\n]*folded", exercises)


@each_notebook
def test_all_else_is_kept(path, edition):
    original, book = Book.read(path), Book.read(edition / place(path))
    kept = [c for c in original.cells if "solution" not in tags(c)]
    assert all(cell.source.strip() for cell in book.cells)
    pairs = zip(book.code, [c for c in kept if c.cell_type == "code"], strict=True)
    for cell, before in pairs:
        assert cell.source == before.source and cell.metadata == before.metadata
        assert len(cell.outputs) == len(before.outputs)
    words = [len(" ".join(c.source for c in b.text).split()) for b in (book, original)]
    assert 0.9 < words[0] / words[1] <= 1


@each_notebook
def test_what_is_kept_needs_no_solution(path):
    cells = Book.read(path).code
    known = set()
    for number, cell in enumerate(cells, start=1):
        if "solution" in tags(cell):
            continue
        only_there = {
            name
            for other in cells[: number - 1]
            if "solution" in tags(other)
            for name in names(other.source, ast.Store)
        } - known
        missing = names(cell.source, ast.Load) - names(cell.source, ast.Store)
        assert not missing & only_there, f"code cell {number}"
        known |= names(cell.source, ast.Store)


@each_notebook
def test_the_edition_keeps_the_rules(path, edition):
    book = Book.read(edition / place(path))
    # Without the solutions, exercises are incomplete.
    kept = [rule for name, rule in RULES.items() if name != "exercises"]
    assert not [problem for rule in kept for problem in rule(book)]


def test_links_of_the_readme_lead_to_files(edition):
    readme = (edition / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^):]+)\)", readme)
    assert len(targets) > len(NOTEBOOKS)
    for target in targets:
        assert (edition / target).exists(), target
    assert "pip install -r requirements.txt" in readme and "pytest" not in readme
    assert "tools/" not in readme
    assert not list(edition.rglob("__pycache__"))


def test_outputs_can_be_cleared():
    notebook = nbformat.read(NOTEBOOKS[0], as_version=4)
    cleared = for_students(notebook, clear_outputs=True)
    code = [cell for cell in cleared.cells if cell.cell_type == "code"]
    assert not any(c.outputs or c.execution_count for c in code)
    assert any(cell.get("outputs") for cell in notebook.cells)  # it is left alone


def test_answers_go_wherever_an_exercise_stands():
    answer = "\n\n<details>Yes.</details>\n\nGo on."
    notebook = specimen.build()
    for words in ("Exercise 1", "The next cell", "### Exercise 3", "## What we found"):
        cell = next(c for c in notebook.cells if words in c.source)
        cell.source += answer
    student = for_students(notebook)
    left = [cell.source for cell in student.cells if "<details>" in cell.source]
    assert len(left) == 1 and left[0].startswith("## What we found")
    for edition in (student, for_nbgrader(notebook)):
        assert edition.cells[0].attachments == specimen.build().cells[0].attachments
        assert "(attachment:line.png)" in edition.cells[0].source
        assert not any("folded" in cell.source for cell in edition.cells)


@pytest.mark.slow
def test_the_edition_of_the_specimen_runs(tmp_path):
    notebook = specimen.build()
    note = new_code_cell("boom", metadata={"tags": ["teacher"]})
    notebook.cells.insert(5, note)
    notebook = for_students(notebook)
    execute(notebook, tmp_path)
    checks = [c for c in notebook.cells if "check" in tags(c)]
    assert len(checks) == 2
    for cell in checks:
        assert "is open: replace" in cell.outputs[0].text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Run it. The solution is folded, too.", "Run it."),
        ("Run it. If you run the folded solution, it is yours. Go.", "Run it. Go."),
        ("Ask.\n\n<details><summary>x</summary>\n\nyes\n\n</details>\n", "Ask.\n\n"),
        ("A solution of 3 grams. The check is folded.", None),
    ],
)
def test_text_without_solutions(text, expected):
    assert without_solutions(text) == (text if expected is None else expected)


def test_another_folder_is_not_overwritten(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work", encoding="utf-8")
    with pytest.raises(FileExistsError, match="not empty"):
        build(tmp_path, NOTEBOOKS[:1])
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize("nbgrader", [True, False])
def test_the_work_of_others_stays(tmp_path, nbgrader):
    folder, names = tmp_path / "course", ["01_a", "02_b"]
    paths = [tmp_path / f"{name}.ipynb" for name in names]
    for path in paths:
        nbformat.write(specimen.build(), path)
    build(folder, paths, nbgrader=nbgrader)
    made = {path.name: path for path in folder.rglob("*.ipynb")}
    kept = ["submitted/ada/01_a/01_a.ipynb", "gradebook.db", "source/own/own.ipynb"]
    for name in [*kept, "nbgrader_config.py"]:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("work", encoding="utf-8")
    with pytest.raises(FileNotFoundError):
        build(folder, [tmp_path / "absent.ipynb"], nbgrader=nbgrader)
    nbformat.write(nbformat.v4.new_notebook(), paths[0])
    build(folder, paths[:1], nbgrader=nbgrader)
    assert nbformat.read(made["01_a.ipynb"], 4).cells == []
    assert not made["02_b.ipynb"].exists()
    made["01_a.ipynb"].write_text("answers", encoding="utf-8")
    with pytest.raises(FileExistsError, match=r"changed by someone.*01_a\.ipynb"):
        build(folder, paths, nbgrader=nbgrader)
    for path in [made["01_a.ipynb"], *(folder / name for name in kept)]:
        assert path.read_text(encoding="utf-8") in ("work", "answers")
    assert (folder / "nbgrader_config.py").read_text(encoding="utf-8") == "work"
    assert not made["02_b.ipynb"].exists()
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        *map("{}.ipynb".format, names),
        "course",
    ]


def test_command_line(tmp_path, monkeypatch, capsys):
    target = tmp_path / "deep" / "course"
    arguments = ["student_edition.py", str(target), "--nbgrader"]
    monkeypatch.setattr(sys, "argv", arguments)
    assert student_edition.main() == 0
    assert f"{len(NOTEBOOKS)} notebooks" in capsys.readouterr().out
    found = {path.parent.name for path in target.glob("source/*/*.ipynb")}
    assert found == {path.stem for path in NOTEBOOKS}


@each_notebook
def test_nbgrader_gets_each_exercise(path):
    original = Book.read(path)
    count = sum("solution" in tags(cell) for cell in original.code)
    cells = for_nbgrader(original.nb).cells
    graded = {
        c.metadata.nbgrader.grade_id: c for c in cells if "nbgrader" in c.metadata
    }
    assert len(graded) == 2 * count
    for number in range(1, count + 1):
        stub, check = graded[f"exercise-{number}"], graded[f"check-{number}"]
        assert stub.metadata.nbgrader.solution and not stub.metadata.nbgrader.locked
        assert check.metadata.nbgrader.grade and check.metadata.nbgrader.points == 1
        assert stub.source.count("### BEGIN SOLUTION\n") == 1
        assert stub.source.endswith("\n### END SOLUTION")
        assert check.source.endswith(
            f"### BEGIN HIDDEN TESTS\nassert check_{number}()\n### END HIDDEN TESTS"
        )
        solution = next(
            c.source for c in original.code if f"assert check_{number}()" in c.source
        )
        assert set(defined([solution])) <= set(defined([stub.source]))
        ast.parse(stub.source)


# nbgrader itself, in its own environment


def nbgrader(course: Path, *arguments: str) -> None:
    command = os.environ["NBGRADER"]
    environment = {**os.environ, "JUPYTER_PATH": str(course / "jupyter")}
    # nbgrader calls alembic, which lies beside it, by its bare name.
    environment["PATH"] = f"{Path(command).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [command, *arguments],
        cwd=course,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.slow
@pytest.mark.skipif(
    not os.environ.get("NBGRADER"),
    reason="no nbgrader: install nbgrader==0.9.6 in an environment of its own and give "
    "the path of its command in NBGRADER",
)
def test_nbgrader_releases_and_grades(tmp_path):
    course, name = tmp_path / "course", specimen.STEM
    path = tmp_path / f"{name}.ipynb"
    nbformat.write(specimen.build(), path)
    build(course, [path], nbgrader=True)
    kernel = course / "jupyter" / "kernels" / "python3"
    kernel.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": argv, "display_name": "Python 3", "language": "python"}
    (kernel / "kernel.json").write_text(json.dumps(spec), encoding="utf-8")
    nbgrader(course, "generate_assignment", name)
    released = nbformat.read(course / "release" / name / path.name, as_version=4)
    sources = "\n".join(cell.source for cell in released.cells)
    assert "x ** 2" not in sources and "assert check" not in sources
    for student, answered in [("ada", 2), ("bob", 0)]:
        handed_in = nbformat.from_dict(released)
        stubs = [c for c in handed_in.cells if "exercise" in tags(c)]
        for number, cell in enumerate(stubs[:answered], start=1):
            cell.source = cell.source.replace("...", f"x ** {number + 1}", 1)
        folder = course / "submitted" / student / name
        folder.mkdir(parents=True)
        nbformat.write(handed_in, folder / path.name)
    nbgrader(course, "autograde", name)
    nbgrader(course, "export")
    rows = (course / "grades.csv").read_text(encoding="utf-8").splitlines()
    header = rows[0].split(",")
    scores = {
        row.split(",")[header.index("student_id")]: row.split(",")[
            header.index("score")
        ]
        for row in rows[1:]
    }
    assert {name: float(score) for name, score in scores.items()} == {
        "ada": 2,
        "bob": 0,
    }
