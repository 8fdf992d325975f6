"""Classical ways to clean a noisy picture, which 01's second visit compares with a
network: a blur, a median filter, and a curve that gives grey values back."""

from collections.abc import Callable

import torch
from torch import Tensor, nn


def blur(images: Tensor, spread: float) -> Tensor:
    """Each pixel becomes a weighted mean of its neighbours, near ones counting most.

    Args:
        images: tensor (n, 1, h, w), at least 5 pixels high and wide; its edges act as
            mirrors.
        spread: standard deviation of the bell of weights, in pixels.
    """
    bell = torch.exp(-0.5 * (torch.arange(-4, 5) / spread).square())
    bell = bell / bell.sum()
    padded = nn.functional.pad(images, [4] * 4, mode="reflect")
    across = nn.functional.conv2d(padded, bell.view(1, 1, 1, 9))
    return nn.functional.conv2d(across, bell.view(1, 1, 9, 1))


def median(images: Tensor, side: int) -> Tensor:
    """Each pixel becomes the middle value of a square around it; outside is black.

    Args:
        images: tensor (n, 1, h, w).
        side: pixels along one side of the square.

    Raises:
        ValueError: `side` is even or below 1, so that no pixel is in the middle.
    """
    if side < 1 or side % 2 == 0:
        raise ValueError(f"side must be an odd number of pixels, not {side}.")
    parts = images.split(200)  # so that memory stays small
    squares = (nn.functional.unfold(part, side, padding=side // 2) for part in parts)
    return torch.cat([square.median(1).values for square in squares]).view_as(images)


def grey_curve(
    cleaned: Tensor, originals: Tensor, steps: int = 64
) -> Callable[[Tensor], Tensor]:
    """Learns which clean value stands behind each grey value of a cleaned picture.

    A filter leaves a grey veil where there should be black. The values of `cleaned` are
    sorted into groups of equal size, and each group gets the mean of the originals.

    Args:
        cleaned, originals: tensors of the same shape, from training images.
        steps: the number of groups.

    Returns:
        A function from images of any shape to images in which each value is replaced.
    """
    values = cleaned.flatten().sort().values
    edges = values[:: max(1, len(values) // steps)][1:steps].contiguous()
    group = torch.bucketize(cleaned, edges).flatten()
    total = torch.zeros(len(edges) + 1).index_add(0, group, originals.flatten())
    means = total / torch.bincount(group, minlength=len(total)).clamp_min(1)
    return lambda images: means[torch.bucketize(images, edges)]
