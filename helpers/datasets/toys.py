"""Points in a plane, the smallest data on which an autoencoder can be watched."""

import torch
from torch import Tensor


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
