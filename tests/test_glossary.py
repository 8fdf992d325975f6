"""pytest runs this: the glossary is in order, and its links lead to what it names."""

import re
from functools import cache

import pytest
from notebook_form import Book
from run_notebooks import ROOT, is_lesson, notebook_paths

TEXT = (ROOT / "notebooks" / "glossary.md").read_text(encoding="utf-8")
ENTRIES = re.findall(r"^- .+$", TEXT, re.MULTILINE)
ENTRY = r"- \*\*([^*]+)\*\*.+\. \[(\d\d)\]\((\S+)\), (opening|section \d)"
LESSONS = {path.name: path for path in notebook_paths() if is_lesson(path)}


def term(entry: str) -> str:
    return entry.partition("**")[2].partition("**")[0]


@cache
def parts(lesson: str) -> dict[str, str]:
    """The text of a lesson by place: its opening, and its sections with a number."""
    text = "\n".join(cell.source for cell in Book.read(LESSONS[lesson]).text)
    opening, *sections = text.replace("*", "").casefold().split("\n## ")
    numbered = {f"section {s[0]}": s for s in sections if re.match(r"\d\. ", s)}
    return {"opening": opening, **numbered} if numbered else {"all": text.casefold()}


def test_terms_stand_once_and_in_alphabetical_order():
    terms = [term(entry).casefold() for entry in ENTRIES]
    assert terms == sorted(set(terms)) and len(terms) > 50


@pytest.mark.parametrize("entry", ENTRIES, ids=term)
def test_the_linked_lesson_introduces_the_term(entry):
    name, number, target, place = re.fullmatch(ENTRY, entry).groups()
    assert target in LESSONS and target.startswith(number)
    found = parts(target)
    part = found["all"] if "all" in found else found[place]
    word = rf"\b{re.escape(name.casefold())}(e?s)?\b"
    assert re.search(word, part), f"not in {place}"
