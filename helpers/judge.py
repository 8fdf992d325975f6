"""Lessons that draw new digits ask a judge: is this a digit? 01's second visit opens it
and shows how it was trained; 07 and 08 judge in the same way."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from helpers.models import add_no_digits, layers
from helpers.training import fit, predict

SURE = 0.9  # a picture is accepted if one of the ten digits gets this probability


class Judge:
    """A classifier with eleven answers: 0 to 9, and "no digit"."""

    def __init__(self, network: nn.Module):
        self.network = network

    def chances(self, images: Tensor) -> Tensor:
        """Images (n, 1, 28, 28) -> probabilities (n, 11); the last is "no digit"."""
        return predict(nn.Sequential(self.network, nn.Softmax(1)), images)

    def accepts(self, images: Tensor) -> Tensor:
        """Whether one of the ten digits gets 90% or more, bool (n,)."""
        return self.chances(images)[:, :10].max(1).values >= SURE

    def names(self, images: Tensor) -> Tensor:
        """The most probable of the ten digits for each image, accepted or not (n,)."""
        return self.chances(images)[:, :10].argmax(1)

    def share(self, images: Tensor) -> float:
        """The share of images that are accepted, from 0 to 1."""
        return self.accepts(images).float().mean().item()

    def classes(self, images: Tensor) -> Tensor:
        """How the accepted images divide among the ten digits: shares (10,)."""
        chances = self.chances(images)[:, :10]
        sure, named = chances.max(1)
        counts = torch.bincount(named[sure >= SURE], minlength=10).float()
        return counts / counts.sum().clamp_min(1)

    def best_and_worst_walk(
        self, decode: Callable[[Tensor], Tensor], start: Tensor, end: Tensor
    ) -> tuple[int, int]:
        """Of straight walks from code to code, the surest one and one that fails.

        Args:
            decode: from codes (n, d) to images (n, 1, 28, 28).
            start, end: codes (n, d); walk i leads from `start[i]` to `end[i]`.

        Returns:
            The number of the walk on which the judge is surest of some digit at all of
            five places, and of the one in whose middle it is least sure.
        """
        sure = torch.stack(
            [
                self.chances(decode(torch.lerp(start, end, part)))[:, :10].amax(1)
                for part in (0.0, 0.25, 0.5, 0.75, 1.0)
            ]
        )  # (5, n)
        return sure.amin(0).argmax().item(), sure[2].argmin().item()

    def features(self, images: Tensor) -> Tensor:
        """What the last layer but one says about each image (n, 256)."""
        return predict(self.network[:-1], images)


def train_judge(images: Tensor, labels: Tensor, epochs: int = 4) -> Judge:
    """Trains a judge on digits and on pictures of no digit made from them.

    Args:
        images: digits (n, 1, 28, 28) with values in [0, 1].
        labels: their classes (n,), whole numbers from 0 to 9.
        epochs: passes over the images; four take about ten seconds on two cores.
    """
    network = nn.Sequential(nn.Flatten(), *layers(784, 512, 256, 11))
    fit(
        network,
        (images, labels),
        lambda scores, images, labels: nn.functional.cross_entropy(scores, labels),
        epochs=epochs,
        lr=8e-3,
        batch_size=512,
        transform=add_no_digits,
        name="judge",
    )
    return Judge(network)


def frechet_distance(one: Tensor, other: Tensor) -> float:
    """The Fréchet distance, squared, of two bells with the means and covariances of two
    crowds of features.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1^(1/2) S2 S1^(1/2))^(1/2)), after Dowson and Landau
    (1982); with the features of another network it is the FID of Heusel and others
    (2017). It depends on the number of images, so compare equal numbers.

    Args:
        one, other: features of two crowds, (n, k) and (m, k), n and m at least 2.

    Raises:
        ValueError: a crowd has fewer than two members, or the k differ.
    """
    if min(len(one), len(other)) < 2 or one.shape[1:] != other.shape[1:]:
        raise ValueError(
            "two crowds of features (n, k) and (m, k) are needed, with at least two "
            f"members each, not {tuple(one.shape)} and {tuple(other.shape)}."
        )
    one, other = one.double(), other.double()
    first, second = (torch.atleast_2d(crowd.T.cov()) for crowd in (one, other))
    root = _square_root(first)
    overlap = _square_root(root @ second @ root).trace()
    between = (one.mean(0) - other.mean(0)).square().sum()
    return (between + first.trace() + second.trace() - 2 * overlap).item()


def _square_root(matrix: Tensor) -> Tensor:
    """The symmetric root of a symmetric matrix without negative eigenvalues."""
    values, vectors = torch.linalg.eigh(matrix)
    return (vectors * values.clamp_min(0).sqrt()) @ vectors.T
