"""Points in a plane, the smallest data on which a network can be watched."""

import math

import torch
from torch import Tensor

_ANGLES = torch.arange(8) * math.pi / 4
ISLANDS = 2 * torch.stack([_ANGLES.cos(), _ANGLES.sin()], dim=1)  # their middles (8, 2)
SPREAD = 0.15


def line_of_points(count: int, generator: torch.Generator) -> Tensor:
    """Points (count, 2) around (0, 0), near a line in the direction (0.8, 0.6)."""
    along = 2 * torch.randn(count, generator=generator)
    noise = 0.5 * torch.randn(count, 2, generator=generator)
    return torch.outer(along, torch.tensor([0.8, 0.6])) + noise


def curve_of_points(count: int, generator: torch.Generator) -> Tensor:
    """Points (count, 2) near a parabola that opens upwards."""
    across = 3.6 * torch.rand(count, generator=generator) - 1.8
    noise = 0.06 * torch.randn(count, 2, generator=generator)
    return torch.stack([across, 0.8 * across.square() - 1], dim=1) + noise


def two_groups_of_points(count: int, generator: torch.Generator) -> Tensor:
    """Points (count, 2): two thirds around (-1.6, -0.6), one third around (1.4, 1).

    Both groups are bells of width 1, and nothing tells to which group a point belongs.
    """
    second = torch.rand(count, 1, generator=generator) < 1 / 3
    first, other = torch.tensor([-1.6, -0.6]), torch.tensor([1.4, 1.0])
    noise = torch.randn(count, 2, generator=generator)
    return torch.where(second, other, first) + noise


def eight_islands(count: int) -> Tensor:
    """Points (count, 2) on eight islands: bells of width 0.15 on a ring of radius 2."""
    return ISLANDS[torch.randint(8, (count,))] + SPREAD * torch.randn(count, 2)


def islands_found(points: Tensor) -> tuple[int, float]:
    """How many islands hold 1% of the points (n, 2) or more, and the share on any.

    A point is on an island if it lies at most two spreads (0.3) from its middle.
    """
    near = (torch.cdist(points, ISLANDS) <= 2 * SPREAD).float()  # (n, 8)
    return int((near.mean(0) >= 0.01).sum()), near.sum(1).mean().item()
