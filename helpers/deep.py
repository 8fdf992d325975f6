"""What lesson 03 wrote out, for its second visit: deep networks, first weights and the
loop that trains them, each with a few switches more."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.functional import conv_transpose2d, linear

WIDTH = 64
LOOKS = 20  # steps from one look to the next


def network(
    depth: int, activation: type[nn.Module] = nn.Sigmoid, normalised: bool = False
) -> nn.Sequential:
    """The network of lesson 03: 784 numbers -> `depth` hidden layers of 64 -> ten.

    Args:
        depth: hidden layers, at least one.
        activation: the class of the activation function.
        normalised: puts batch normalisation between the weights and the activation.
    """
    layers = []
    for inputs in [784] + [WIDTH] * (depth - 1):
        normalise = [nn.BatchNorm1d(WIDTH)] if normalised else []
        layers += [nn.Linear(inputs, WIDTH), *normalise, activation()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, 10))


def convolutions(activation: type[nn.Module] = nn.Sigmoid) -> nn.Sequential:
    """Six convolutions of eight channels and a last layer: (n, 784) -> (n, 10).

    The first two halve the sides of the picture, so that 7 x 7 places are left.
    """
    layers = [nn.Unflatten(1, (1, 28, 28))]
    for channels, stride in [(1, 2), (8, 2), (8, 1), (8, 1), (8, 1), (8, 1)]:
        layers += [nn.Conv2d(channels, 8, 3, stride, padding=1), activation()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 7 * 7, 10))


def weighted(net: nn.Module) -> list[nn.Module]:
    """All parts of a network that have weights to draw, first to last."""
    kinds = nn.Linear, nn.Conv2d
    return [part for part in net.modules() if isinstance(part, kinds)]


def with_weights(net: nn.Module, init: Callable[[Tensor], object]) -> nn.Module:
    """Draws all weights anew by `init(weight)`, sets biases to 0, returns `net`."""
    for layer in weighted(net):
        init(layer.weight)
        nn.init.zeros_(layer.bias)
    return net


class Tied(nn.Module):
    """A layer as an autoencoder whose way back has the same weights, turned over.

    It maps what comes in, (n, inputs) or for a convolution (n, channels, h, w), through
    the layer and a sigmoid to the log-odds of the restored values, of the same shape.
    """

    def __init__(self, layer: nn.Linear | nn.Conv2d):
        super().__init__()
        self.layer = layer
        self.back = nn.Parameter(torch.zeros(layer.weight.shape[1]))

    def forward(self, inputs: Tensor) -> Tensor:
        code = self.layer(inputs).sigmoid()
        if isinstance(self.layer, nn.Linear):
            return linear(code, self.layer.weight.T, self.back)
        stride = self.layer.stride[0]
        shape = dict(stride=stride, padding=1, output_padding=stride - 1)
        return conv_transpose2d(code, self.layer.weight, self.back, **shape)


def train(
    net: nn.Module,
    inputs: Tensor,
    targets: Tensor,
    loss: Callable[[Tensor, Tensor], Tensor],
    rate: float,
    clip: float | None = None,
    *,
    steps: int,
    batch: int = 128,
    look: Callable[[nn.Module], object] | None = None,
) -> nn.Module:
    """The loop of lesson 03: gradient descent with momentum 0.9, on random batches.

    Args:
        inputs, targets: tensors with the same number of rows.
        rate: the learning rate.
        clip: the gradient is shortened to this length where it is longer.
        look: called with the network, in evaluation mode, after every twenty steps.

    Returns:
        The network, trained in place, in evaluation mode.
    """
    optimizer = torch.optim.SGD(net.parameters(), lr=rate, momentum=0.9, fused=True)
    net.train()
    for step in range(1, steps + 1):
        chosen = torch.randint(len(inputs), (batch,))
        error = loss(net(inputs[chosen]), targets[chosen])
        optimizer.zero_grad()
        error.backward()
        if clip is not None:
            nn.utils.clip_grad_norm_(net.parameters(), clip)
        optimizer.step()
        if look is not None and step % LOOKS == 0:
            look(net.eval())
            net.train()
    return net.eval()


@torch.no_grad()
def share_right(net: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """The share of inputs (n, ...) whose largest output is that of the label (n,)."""
    return (net(inputs).argmax(dim=1) == labels).float().mean().item()


def best_of(
    make: Callable[[], nn.Module],
    settings: Sequence[tuple[float, float | None]],
    train_once: Callable[..., nn.Module],
    score: Callable[[nn.Module], float],
) -> tuple[nn.Module, tuple[float, float | None]]:
    """Trains a fresh network with each setting, and keeps the one that scores best.

    Args:
        make: gives a fresh network.
        settings: pairs of learning rate and clipping.
        train_once: `train_once(net, rate, clip)` trains and returns a network.
        score: more is better; usually the share of right answers on validation images.

    Returns:
        The best network and its setting.
    """
    tried = [(train_once(make(), *given), given) for given in settings]
    return max(tried, key=lambda pair: score(pair[0]))
