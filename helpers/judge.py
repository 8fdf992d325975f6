"""Lessons that draw new digits ask a judge: is this a digit? 01's second visit opens it
and shows how it was trained; 07 and 08 judge in the same way."""

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
        """Whether one of the ten digits gets 90 % or more, bool (n,)."""
        return self.chances(images)[:, :10].max(1).values >= SURE

    def share(self, images: Tensor) -> float:
        """The share of images that are accepted, from 0 to 1."""
        return self.accepts(images).float().mean().item()


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
