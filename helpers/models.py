"""Networks that one notebook teaches and a later one needs again.

Each says where it is taught; a test compares it with the text there, so that the two
cannot drift apart.
"""

import itertools

from torch import nn


def layers(*sizes):
    """Linear layers of these sizes; between any two: normalise, then bend.

    Taught in 01.
    """
    stack = []
    for before, after in itertools.pairwise(sizes):
        stack += [nn.Linear(before, after), nn.BatchNorm1d(after), nn.GELU()]
    return stack[:-2]  # the last layer neither normalises nor bends


class Autoencoder(nn.Module):
    """Images (n, 1, 28, 28) -> codes (n, code) -> images (n, 1, 28, 28).

    Taught in 01.
    """

    def __init__(self, code, widths):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), *layers(784, *widths, code))
        self.decoder = nn.Sequential(
            *layers(code, *reversed(widths), 784),
            nn.Sigmoid(),
            nn.Unflatten(1, (1, 28, 28)),
        )

    def forward(self, images):
        return self.decoder(self.encoder(images))
