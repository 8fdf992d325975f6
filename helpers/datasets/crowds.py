"""Three invented crowds who fill in a form: two villages, and dogs."""

import torch
from torch import Tensor

CROWDS = ("village A", "village B", "dogs")
# How often each answer is given, in percent, in the order of CROWDS.
FORM = {
    "legs used": {"two": (96, 94, 0), "four": (2, 2, 98), "other": (2, 4, 2)},
    "height": {
        "below 0.5 m": (2, 2, 35),
        "to 1 m": (8, 6, 62),
        "to 1.5 m": (15, 12, 3),
        "above": (75, 80, 0),
    },
    "languages": {"none": (2, 2, 100), "one": (63, 45, 0), "several": (35, 53, 0)},
    "glasses": {"no": (60, 50, 100), "yes": (40, 50, 0)},
    "barks": {"never": (88, 92, 4), "sometimes": (11, 7, 26), "daily": (1, 1, 70)},
    "hair": {
        "black": (35, 30, 30),
        "brown": (40, 38, 35),
        "fair": (10, 10, 20),
        "grey": (15, 22, 15),
    },
}


def answer_tables(crowd: str, careless: float = 0.01) -> list[Tensor]:
    """The probabilities of the answers, a table for each question of FORM.

    Args:
        crowd: one of CROWDS.
        careless: the share of answers that are ticked at random, from 0 to 1.

    Raises:
        ValueError: there is no such crowd, or the share is none.
    """
    if crowd not in CROWDS:
        raise ValueError(f"the crowds are {', '.join(CROWDS)}, not {crowd!r}.")
    if not 0 <= careless <= 1:
        raise ValueError(f"careless must be from 0 to 1, not {careless}.")
    which, tables = CROWDS.index(crowd), []
    for answers in FORM.values():
        percent = [shares[which] for shares in answers.values()]
        share = torch.tensor(percent, dtype=torch.double) / 100
        tables.append((1 - careless) * share + careless / len(share))
    return tables


def draw_forms(crowd: str, count: int, generator: torch.Generator) -> Tensor:
    """Filled-in forms (count, questions): the numbers of the ticked answers.

    The answers of a form are independent, and one in a hundred is ticked at random.
    """
    drawn = [
        torch.multinomial(table, count, replacement=True, generator=generator)
        for table in answer_tables(crowd)
    ]
    return torch.stack(drawn, dim=1)
