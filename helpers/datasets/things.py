"""Forty things and what people answer to twenty questions about them.

The world in which lesson 04 plays twenty questions. The answers are our own estimates.
"""

from typing import NamedTuple

import torch

# Most dogs swim, but not all; and even the surest answer leaves 2%, because people
# make mistakes. So each answer is a probability of yes.
CHANCE = {
    "n": 0.02,  # no
    "r": 0.2,  # rarely
    "s": 0.5,  # sometimes
    "o": 0.8,  # often
    "y": 0.98,  # yes
}
QUESTIONS = (
    *("alive", "four legs", "swims", "flies", "lays eggs"),
    *("fur", "tail", "gives milk", "eats animals", "at home in water"),
    *("green", "leaves", "eaten by people", "made by people", "carries people"),
    *("metal", "wheels", "heavier than a person", "white", "found in a house"),
)
GROUPS = ("animals", "plants", "minerals", "made things")  # in the order of the blocks
FIRST_TEN = """
            alive  legs swims flies  eggs   fur  tail  milk hunts water
dog             y     y     o     n     n     y     y     y     o     n
cat             y     y     r     n     n     y     y     y     y     n
cow             y     y     s     n     n     y     y     y     n     n
horse           y     y     o     n     n     y     y     y     n     n
elephant        y     y     o     n     n     r     y     y     n     n
hippo           y     y     s     n     n     n     y     y     r     y
polar bear      y     y     y     n     n     y     s     y     y     s
otter           y     y     y     n     n     y     y     y     y     y
platypus        y     y     y     n     y     y     y     y     y     y
bat             y     r     n     y     n     y     s     y     o     n
crocodile       y     y     y     n     y     n     y     n     y     y
turtle          y     y     o     n     y     n     o     n     s     o
frog            y     y     y     n     y     n     n     n     y     o
trout           y     n     y     n     y     n     y     n     y     y
duck            y     n     y     y     y     n     o     n     s     o
penguin         y     n     y     n     y     n     o     n     y     o
eagle           y     n     r     y     y     n     y     n     y     n
bee             y     n     n     y     s     s     n     n     n     n

oak             y     n     n     n     n     n     n     n     n     n
pine            y     n     n     n     n     n     n     n     n     n
apple tree      y     n     n     n     n     n     n     n     n     n
rose            y     n     n     n     n     n     n     n     n     n
sunflower       y     n     n     n     n     n     n     n     n     n
grass           y     n     n     n     n     n     n     n     n     n
cactus          y     n     n     n     n     n     n     n     n     n
water lily      y     n     r     n     n     n     n     n     n     y

diamond         n     n     n     n     n     n     n     n     n     n
quartz          n     n     n     n     n     n     n     n     n     n
salt            n     n     n     n     n     n     n     n     n     n
gold            n     n     n     n     n     n     n     n     n     n
graphite        n     n     n     n     n     n     n     n     n     n
talc            n     n     n     n     n     n     n     n     n     n

aeroplane       n     n     n     y     n     n     y     n     n     n
helicopter      n     n     n     y     n     n     o     n     n     n
cannon          n     n     n     n     n     n     n     n     n     n
car             n     n     n     n     n     n     n     n     n     n
bicycle         n     n     n     n     n     n     n     n     n     n
ship            n     n     s     n     n     n     n     n     n     y
clock           n     n     n     n     n     n     n     n     n     n
table           n     o     n     n     n     n     n     n     n     n
"""
LAST_TEN = """
            green leaves eaten  made carries metal wheels heavy white house
dog             n      n     r     n       n     n      n     n     r     o
cat             n      n     n     n       n     n      n     n     r     o
cow             n      n     y     n       n     n      n     y     s     n
horse           n      n     r     n       y     n      n     y     r     n
elephant        n      n     r     n       s     n      n     y     n     n
hippo           n      n     r     n       n     n      n     y     n     n
polar bear      n      n     r     n       n     n      n     y     y     n
otter           n      n     n     n       n     n      n     n     n     n
platypus        n      n     n     n       n     n      n     n     n     n
bat             n      n     r     n       n     n      n     n     n     r
crocodile       s      n     r     n       n     n      n     y     n     n
turtle          o      n     r     n       n     n      n     r     n     r
frog            o      n     r     n       n     n      n     n     n     n
trout           n      n     y     n       n     n      n     n     n     n
duck            r      n     y     n       n     n      n     n     s     n
penguin         n      n     n     n       n     n      n     n     s     n
eagle           n      n     n     n       n     n      n     n     n     n
bee             n      n     n     n       n     n      n     n     n     r

oak             o      y     r     n       n     n      n     y     n     n
pine            y      r     r     n       n     n      n     y     n     r
apple tree      o      y     o     n       n     n      n     y     n     n
rose            o      y     r     n       n     n      n     n     r     s
sunflower       s      y     o     n       n     n      n     n     n     r
grass           y      o     n     n       n     n      n     n     n     n
cactus          y      r     r     n       n     n      n     r     n     s
water lily      o      y     r     n       n     n      n     n     s     n

diamond         n      n     n     r       n     n      n     n     r     r
quartz          n      n     n     r       n     n      n     n     s     r
salt            n      n     y     r       n     n      n     n     y     y
gold            n      n     n     n       n     y      n     n     n     s
graphite        n      n     n     r       n     n      n     n     n     o
talc            n      n     n     n       n     n      n     n     y     s

aeroplane       n      n     n     y       y     y      y     y     o     n
helicopter      s      n     n     y       y     y      s     y     r     n
cannon          r      n     n     y       n     y      o     y     n     n
car             r      n     n     y       y     y      y     y     s     n
bicycle         r      n     n     y       y     y      y     n     n     s
ship            n      n     n     y       y     o      n     y     s     n
clock           n      n     n     y       n     o      s     n     s     y
table           n      n     n     y       n     r      r     r     s     y
"""


class Things(NamedTuple):
    """A small world: names (n,), group (n,) as numbers of `groups`, chance (n, q)."""

    names: list[str]
    groups: list[str]
    group: torch.Tensor
    questions: list[str]
    chance: torch.Tensor


def forty_things() -> Things:
    """Forty things in four groups, and the probability of yes for twenty questions."""
    halves = [_read(FIRST_TEN), _read(LAST_TEN)]
    names, group, rows = [], [], []
    for (name, number, first), (_, _, last) in zip(*halves, strict=True):
        names.append(name)
        group.append(number)
        rows.append([CHANCE[letter] for letter in first + last])
    group, chance = torch.tensor(group), torch.tensor(rows)
    return Things(names, list(GROUPS), group, list(QUESTIONS), chance)


def _read(table: str) -> list[tuple[str, int, list[str]]]:
    """Name, number of the block and ten letters of each line below the heads."""
    blocks = table.strip("\n").split("\n\n")
    blocks[0] = blocks[0].partition("\n")[2]
    lines = [(n, line) for n, block in enumerate(blocks) for line in block.split("\n")]
    return [(line[:12].strip(), number, line[12:].split()) for number, line in lines]
