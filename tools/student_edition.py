"""A teacher calls this to make the folder that students get: no solutions, all checks.

    python tools/student_edition.py [FOLDER]                   default: build/student
    python tools/student_edition.py [FOLDER] --clear-outputs   all outputs removed, too
    python tools/student_edition.py [FOLDER] --nbgrader        a source for nbgrader

Cells tagged `solution` (the series' own) or `teacher` (yours) are left out. The folder
holds all that a student needs: lessons and second visits, README, requirements,
`helpers`, the recipe for Binder.

With `--nbgrader` the folder is a course for nbgrader, which needs an environment of its
own. Its notebooks hold the solutions between nbgrader's marks. There, `nbgrader
generate_assignment 05_kl_divergence` takes them out, `nbgrader autograde` gives points.

Called again, it replaces what it made. What else lies in the folder stays, and a file
that was changed there stops it.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import sys
import tempfile
from pathlib import Path

import nbformat
from nbconvert.preprocessors import (
    ClearOutputPreprocessor,
    Preprocessor,
    TagRemovePreprocessor,
)
from nbformat import NotebookNode
from run_notebooks import ROOT, clean, notebook_paths, place, save
from set_repository import README_WITHOUT

REMOVED_TAGS = {"solution", "teacher"}
COPIED = [
    *("LICENSE", "README.png", "CITATION.cff", ".gitignore"),
    *("pyproject.toml", "requirements.txt", "binder", "helpers"),
    *("notebooks/expected.toml", "notebooks/captions.toml", "notebooks/glossary.md"),
]
TEACHERS_SECTIONS = {"Test everything", "How it is built", "For teachers"}
MARKER = ".student-edition"  # lists what was made here and may be replaced
NBGRADER_CONFIG = '''\
"""nbgrader reads this in the folder of the course."""

c = get_config()  # noqa: F821
c.CourseDirectory.course_id = "autoencoder-notebooks"
# The stub above the solution stays as it is, so that a notebook still runs to its end.
c.ClearSolutions.code_stub = {"python": "# Your answer replaces the `...` above."}
c.Execute.timeout = 900
'''


class RemoveSolutionsInText(Preprocessor):
    """Takes answers that can be unfolded, and talk of them, out of the exercises."""

    def preprocess(self, nb: NotebookNode, resources: dict):
        inside = False  # an exercise: from its first words to its solution
        for cell in nb.cells:
            if cell.cell_type != "markdown":
                inside = bool({"exercise", "check"} & set(_tags(cell)))
                continue
            # A cell may end one section and begin the next.
            parts = re.split(r"^(?=#{2,6} )", cell.source, flags=re.MULTILINE)
            for i, part in enumerate(parts):
                if part.startswith("#"):
                    inside = part.startswith("## Exercises")
                inside |= bool(re.search(r"^\W*Exercise \d", part, re.MULTILINE))
                if inside:
                    parts[i] = without_solutions(part)
            cell.source = "".join(parts).rstrip("\n")
        nb.cells = [c for c in nb.cells if c.cell_type == "code" or c.source.strip()]
        return nb, resources


def without_solutions(text: str) -> str:
    """Text of the exercises without folded answers and sentences about solutions."""
    text = re.sub(r"\n*<details>.*?</details>\n*", "\n\n", text, flags=re.DOTALL)
    sentence = (
        r"(?:(?<=[.?!] )|^)[^.?!\n]*\bsolution\b[^.?!\n]*\bfolded\b[^.?!\n]*[.] ?"
    )
    other = sentence.replace("solution", "@").replace("folded", "solution")
    for pattern in (sentence, other.replace("@", "folded")):
        text = re.sub(pattern, "", text, flags=re.MULTILINE)
    return re.sub(r" +$", "", text, flags=re.MULTILINE)


def for_students(notebook: NotebookNode, *, clear_outputs: bool = False):
    """A copy of the notebook without solutions and teacher's notes."""
    steps = [TagRemovePreprocessor(remove_cell_tags=REMOVED_TAGS, enabled=True)]
    steps.append(RemoveSolutionsInText(enabled=True))
    notebook = nbformat.from_dict(notebook)
    clean(notebook)
    if clear_outputs:
        steps.append(ClearOutputPreprocessor(enabled=True))
    for step in steps:
        notebook, _ = step(notebook, {})
    if not clear_outputs:
        clean(notebook)  # numbers the cells that are left from 1
    nbformat.validate(notebook)
    return notebook


def for_nbgrader(notebook: NotebookNode, points: float = 1) -> NotebookNode:
    """A copy as nbgrader's source: each stub with its solution, each check with points.

    A check prints and never raises, so that students can go on. What counts is the
    assertion behind it, which nbgrader hides until it grades.
    """
    notebook = nbformat.from_dict(notebook)
    solutions = [c.source for c in notebook.cells if "solution" in _tags(c)]
    notebook = for_students(notebook, clear_outputs=True)
    graded = [c for c in notebook.cells if {"exercise", "check"} & set(_tags(c))]
    for number, source in enumerate(solutions, start=1):
        stub, check = graded[2 * number - 2 : 2 * number]
        # What follows the assertion is a remark for readers.
        solution = source.partition(f"assert check_{number}()")[0].strip()
        stub.source = _region(stub.source, "SOLUTION", solution)
        test = f"assert check_{number}()"
        check.source = _region(check.source, "HIDDEN TESTS", test)
        stub.metadata["nbgrader"] = _grading(f"exercise-{number}", solution=True)
        check.metadata["nbgrader"] = _grading(f"check-{number}", points=points)
    return notebook


def _tags(cell: NotebookNode) -> list[str]:
    return cell.metadata.get("tags", [])


def _region(source: str, name: str, inside: str) -> str:
    return f"{source}\n\n\n### BEGIN {name}\n{inside}\n### END {name}"


def _grading(id: str, *, solution: bool = False, points: float = 0) -> dict:
    grading = dict(schema_version=3, cell_type="code", task=False, grade_id=id)
    grading |= dict(solution=solution, grade=not solution, locked=not solution)
    return grading if solution else grading | {"points": points}


def students_readme(text: str) -> str:
    """The README without the sections that only whoever changes the series needs."""
    parts = re.split(r"^(?=## )", text, flags=re.MULTILINE)
    kept = [p for p in parts if p[3:].partition("\n")[0] not in TEACHERS_SECTIONS]
    return "".join(kept).replace(f"{README_WITHOUT}\n\n", "")


def build(folder: Path, paths: list[Path], *, clear_outputs=False, nbgrader=False):
    """Makes the folder, or brings one that was made here up to date.

    What this tool wrote and nobody changed since is replaced. All else stays: what was
    handed in and graded, a teacher's own files, nbgrader's settings.

    Raises:
        FileExistsError: the folder is none of this tool's, or a file that would be
            replaced was changed since. Nothing was written then.
    """
    written = _written_before(folder)
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
    try:
        if not nbgrader:
            _copy_surroundings(made)
        for path in paths:
            notebook = nbformat.read(path, as_version=4)
            if nbgrader:
                target = made / "source" / path.stem / path.name
                notebook = for_nbgrader(notebook)
            else:
                target = made / place(path)
                notebook = for_students(notebook, clear_outputs=clear_outputs)
            target.parent.mkdir(parents=True, exist_ok=True)
            save(notebook, target)
        _put(made, folder, written)
        if nbgrader and not (folder / "nbgrader_config.py").exists():
            (folder / "nbgrader_config.py").write_text(
                NBGRADER_CONFIG, encoding="utf-8"
            )
    finally:
        shutil.rmtree(made, ignore_errors=True)


def _written_before(folder: Path) -> dict[str, str]:
    """What this tool wrote into the folder: places of files, with their checksums."""
    if not folder.exists() or not any(folder.iterdir()):
        return {}
    try:
        written = json.loads((folder / MARKER).read_text(encoding="utf-8"))
        return {str(name): str(checksum) for name, checksum in written.items()}
    except (OSError, ValueError, AttributeError):
        raise FileExistsError(
            f"{folder} is not empty, and no student's edition with a list of its files "
            f"({MARKER}). Nothing was changed; name another folder."
        ) from None


def _put(made: Path, folder: Path, written: dict[str, str]) -> None:
    """Moves the files that were made into the folder, and removes older ones."""
    files = sorted(path for path in made.rglob("*") if path.is_file())
    new = {path.relative_to(made).as_posix(): _checksum(path) for path in files}
    changed = [
        name
        for name in sorted(new.keys() | written.keys())
        if os.path.lexists(folder / name)
        and _checksum(folder / name) not in (written.get(name), new.get(name))
    ]
    if changed:
        raise FileExistsError(
            f"In {folder}, these were changed by someone else: {', '.join(changed)}. "
            "Nothing was replaced; move them away, or name another folder."
        )
    folder.mkdir(exist_ok=True)
    # Before and after, so that a run that is cut off in between can be repeated.
    (folder / MARKER).write_text(json.dumps(written, indent=1), encoding="utf-8")
    for name in new:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(made / name, folder / name)
    for name in written.keys() - new.keys():
        (folder / name).unlink(missing_ok=True)
    (folder / MARKER).write_text(json.dumps(new, indent=1), encoding="utf-8")


def _checksum(path: Path) -> str:
    if not path.is_file() or path.is_symlink():
        return "no file"
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _copy_surroundings(made: Path) -> None:
    unwanted = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints", "*.pyc")
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, made / name, ignore=unwanted)
        elif source.exists():
            (made / name).parent.mkdir(exist_ok=True)
            shutil.copy(source, made / name)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (made / "README.md").write_text(students_readme(readme), encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("folder", nargs="?", type=Path, metavar="FOLDER")
    add("--clear-outputs", action="store_true", help="also remove all saved outputs")
    add("--nbgrader", action="store_true", help="a course folder for nbgrader instead")
    options = parser.parse_args()
    default = ROOT / "build" / ("nbgrader" if options.nbgrader else "student")
    folder = (options.folder or default).resolve()
    paths = notebook_paths()
    kinds = dict(clear_outputs=options.clear_outputs, nbgrader=options.nbgrader)
    try:
        build(folder, paths, **kinds)
    except FileExistsError as error:
        sys.exit(str(error))
    print(f"{len(paths)} notebooks for students in {folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
