"""Whoever puts a copy on GitHub calls this once, so that links lead to the copy.

    python tools/set_repository.py OWNER/REPO        (nothing takes the address out)

It writes the address into README, TEACHING and CITATION, and into each notebook: a line
of links to Binder and Colab at the end of its first cell, and a first code cell that
installs the course where `helpers` is missing, as on Colab. Called again, it puts
another address in.
"""

import argparse
import re
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from run_notebooks import ROOT, clean, notebook_paths, place, save

NAME = r"[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+"
BINDER = "https://mybinder.org/v2/gh/{}/HEAD?urlpath=lab/tree/{}"
COLAB = "https://colab.research.google.com/github/{}/blob/HEAD/{}"
LINKS = "Without installing: [Binder]({}) · [Colab]({})"
LINE = re.compile(r"\n\nWithout installing: \[Binder\]\(.*\) · \[Colab\]\(.*\)(?=\n|$)")
INSTALL = """\
import importlib.util

if importlib.util.find_spec("helpers") is None:  # on Colab, for example
    import subprocess
    import sys

    code = "autoencoder-notebooks[all] @ git+https://github.com/{}"
    print("The code of this course is missing here and is installed now.")
    subprocess.run([sys.executable, "-m", "pip", "install", "-q", code], check=True)"""
INSTALL_ID = "install"  # of the cell, which is folded
README_START = "**In the browser, without installing:**"
README_WITHOUT = f"""{README_START} put your copy of the repository on GitHub, and
`python tools/set_repository.py OWNER/REPO` writes links to Binder and Colab here and
into each notebook."""
README_WITH = f"""{README_START} [Binder]({{}}) and
[Colab]({{}})
open lesson 01; the first cell of each notebook ends with links to it."""
PULL = "https://HUB/hub/user-redirect/git-pull?repo=https://github.com/{}&branch=main&"
PULL += "urlpath=lab%2Ftree%2F{}%2Fnotebooks%2F01_plain_autoencoder.ipynb"


def with_address(notebook: NotebookNode, where: str, address: str | None) -> None:
    """Puts links and the cell that installs into a notebook, or takes them out.

    Args:
        where: its place in the repository.
        address: "OWNER/REPO", or None.
    """
    first = notebook.cells[0]
    first.source = LINE.sub("", first.source)
    cells = [cell for cell in notebook.cells if cell.id != INSTALL_ID]
    if address:
        links = LINKS.format(
            BINDER.format(address, where), COLAB.format(address, where)
        )
        first.source += f"\n\n{links}"
        start = next(i for i, cell in enumerate(cells) if cell.cell_type == "code")
        cells.insert(start, install_cell(address))
    notebook.cells = cells
    clean(notebook)  # numbers the cells


def install_cell(address: str) -> NotebookNode:
    """A folded cell that installs the course where it is missing, else is silent."""
    cell = nbformat.v4.new_code_cell(INSTALL.format(address), id=INSTALL_ID)
    cell.metadata["jupyter"] = {"source_hidden": True}
    return cell


def address_in(notebook: NotebookNode) -> str | None:
    """The address that a notebook holds, or None."""
    if not (line := LINE.search(notebook.cells[0].source)):
        return None
    found = re.search(rf"/gh/({NAME})/HEAD", line[0])
    return found[1] if found else "OWNER/REPO"


def texts(root: Path, address: str | None) -> dict[Path, str]:
    """README, TEACHING and CITATION with the address, or without one."""
    first = place(notebook_paths()[0])
    readme = README_WITHOUT
    if address:
        links = BINDER.format(address, first), COLAB.format(address, first)
        readme = README_WITH.format(*links)
    shown = address or "OWNER/REPO"
    pull = PULL.format(shown, shown.partition("/")[2])
    code = f'repository-code: "https://github.com/{address}"\n' if address else ""
    changes = {
        "README.md": (rf"{re.escape(README_START)}(?:.+\n)+", readme + "\n"),
        "TEACHING.md": (r"https://HUB/hub/user-redirect/git-pull\?[^`]+", pull),
        "CITATION.cff": (r"(?:repository-code: .+\n)?(?=license:)", code),
    }
    found = {}
    for name, (pattern, text) in changes.items():
        before = (root / name).read_text(encoding="utf-8")
        found[root / name], count = re.subn(
            pattern, lambda _, t=text: t, before, count=1
        )
        if not count:
            raise ValueError(f"{name} has lost the place for the address: {pattern}")
    return found


def set_repository(root: Path, address: str | None) -> int:
    """Writes the address everywhere below a folder; returns the number of notebooks.

    Raises:
        ValueError: the address is not "OWNER/REPO", or a text has no place for it.
    """
    if address == "OWNER/REPO" or (address and not re.fullmatch(NAME, address)):
        raise ValueError(f"an address looks like ada/autoencoders, not {address!r}")
    written = texts(root, address)  # all of them, before one is written
    paths = sorted((root / "notebooks").rglob("[0-9][0-9]_*.ipynb"))
    notebooks = {path: nbformat.read(path, as_version=4) for path in paths}
    for path, notebook in notebooks.items():
        with_address(notebook, place(path), address)
    for path, notebook in notebooks.items():
        save(notebook, path)
    for path, text in written.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return len(paths)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", nargs="?", metavar="OWNER/REPO")
    try:
        count = set_repository(ROOT, parser.parse_args().address)
    except ValueError as error:
        sys.exit(str(error))
    print(f"{count} notebooks, README.md, TEACHING.md and CITATION.cff were written.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
