"""Every notebook takes its pictures from here: digits, letters and photographs,
points in a plane, things to guess, and the forms of three crowds.

Importing this package also makes `import torchvision` work beside a CPU build of
torch. No function needs a network or writes outside a temporary folder.
"""

from helpers.datasets import _torchvision  # noqa: F401  (first: it repairs the import)
from helpers.datasets._shared import DatasetError
from helpers.datasets.crowds import CROWDS, FORM, answer_tables, draw_forms
from helpers.datasets.letters import letters
from helpers.datasets.mnist import Digits, mnist
from helpers.datasets.photos import photo_patches
from helpers.datasets.things import forty_things
from helpers.datasets.toys import (
    ISLANDS,
    curve_of_points,
    eight_islands,
    islands_found,
    line_of_points,
    two_groups_of_points,
)

__all__ = [
    "CROWDS",
    "FORM",
    "ISLANDS",
    "DatasetError",
    "Digits",
    "answer_tables",
    "curve_of_points",
    "draw_forms",
    "eight_islands",
    "forty_things",
    "islands_found",
    "letters",
    "line_of_points",
    "mnist",
    "photo_patches",
    "two_groups_of_points",
]
