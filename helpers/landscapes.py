"""Posteriors over two numbers, exact on a grid: the referee of lesson 06.

The machine is that of `helpers.likelihood`: z has two numbers with a standard Gaussian
as prior, and `decoder(z)` gives the log-odds of 784 pixels, black or white.
"""

import copy
import itertools
import math
import statistics
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import torch
from scipy.ndimage import label
from torch import Tensor, nn
from torch.distributions import MultivariateNormal
from torch.nn.functional import softplus

from helpers import likelihood, runtime
from helpers.models import dense
from helpers.training import fit, predict

SEA, LEAST = 7.0, 0.05  # nats below the highest peak; share of the smallest island
DEEP = 8.0  # nats of water between islands that nobody crosses by chance
COARSE = 160
PLACES, _ = likelihood.square_grid(COARSE, 6.0)
UPPER = (torch.arange(784) < 14 * 28).float()  # 1 for a pixel of the upper half


class _Pair(nn.Module):
    """Binary images -> the ELBO of each, with an encoder that is thrown away."""

    def __init__(self):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), *dense(784, 256, 256, 4))
        self.decoder = nn.Sequential(*dense(2, 256, 256, 784))

    def forward(self, images):
        return likelihood.elbo(images, self.encoder, self.decoder)


def drawing_machine(images: Tensor, epochs: int) -> nn.Sequential:
    """A trained decoder, frozen: from z (n, 2) to the log-odds of pixels (n, 784).

    It is the decoder of a VAE, which lesson 07 explains; grey pixels become white with
    their grey value as probability, anew in each batch. The encoder is thrown away.

    Args:
        images: (n, 1, 28, 28), values in [0, 1].
        epochs: passes over the images.
    """
    with torch.random.fork_rng():  # the same machine, whatever was drawn before
        torch.manual_seed(runtime.current().seed)
        pair = _Pair()
        fit(
            pair,
            images,
            lambda elbo, _: -elbo.mean(),
            epochs=epochs,
            lr=4e-3,
            transform=lambda images: (torch.bernoulli(images),),
            name="the machine",
        )
    return pair.decoder.cpu().requires_grad_(False)


def log_table(decoder, images: Tensor, z: Tensor, seen: Tensor | float = 1.0) -> Tensor:
    """log p(x, z) in nats for m places and n images, of which some pixels are seen.

    Args:
        images: zeros and ones (n, ...) of 784 pixels.
        z: places (m, 2).
        seen: 1 for each pixel that is seen and 0 for a hidden one (784,).

    Returns:
        (m, n).
    """
    pixels = images.flatten(1) * seen

    def rows(z):
        logits = decoder(z)
        rest = likelihood.log_standard_normal(z) - (softplus(logits) * seen).sum(1)
        return logits @ pixels.T + rest[:, None]

    return predict(rows, z, 4000)


def exact_log_evidence(decoder, images: Tensor, side: int = 300) -> Tensor:
    """log p(x) in nats (n,) of images of zeros and ones (n, 784), by a square grid.

    It is the sum over side x side places; `helpers.likelihood.exact_on_grid` says when
    that is exact.
    """
    return likelihood.exact_on_grid(images, decoder, side=side)


class Landscape:
    """A posterior over two numbers on a fine grid that holds nearly all of it.

    Its islands rise out of a sea that lies 7 nats below the highest peak, where places
    are a thousand times less probable. What holds less than a twentieth of the
    probability is no island and belongs to the sea.

    Attributes:
        x, y: the ticks of the grid (side,).
        z: its places (side x side, 2); `cell` is the area of a cell.
        log_evidence: log p(x) in nats.
        log_density: log p(z | x) at each place; `weight` is the probability of a cell.
        mean, sd, correlation: of the posterior.
        peaks, shares: places (k, 2) and probabilities (k,) of its islands, the largest
            first.
    """

    def __init__(self, log_joint: Callable[[Tensor], Tensor], side: int = 200):
        """From `log_joint`, which gives log p(x, z) (n,) at places (n, 2)."""
        self.log_joint = log_joint
        share = predict(log_joint, PLACES, 4000).softmax(0)
        near = PLACES[share > 1e-5 * share.max()]
        low, high = near.min(0).values - 0.08, near.max(0).values + 0.08
        self.x, self.y = (torch.linspace(low[i], high[i], side) for i in (0, 1))
        self.z = torch.cartesian_prod(self.x, self.y)
        self.cell = (self.x[1] - self.x[0]) * (self.y[1] - self.y[0])
        table = predict(log_joint, self.z, 4000)
        self.log_evidence = table.logsumexp(0) + self.cell.log()
        self.log_density = table - self.log_evidence
        self.weight = self.log_density.exp() * self.cell
        self.mean = self.weight @ self.z
        centred = self.z - self.mean
        covariance = (centred.T * self.weight) @ centred
        self.sd = covariance.diag().sqrt()
        self.correlation = (covariance[0, 1] / self.sd.prod()).item()
        number, shares, peaks = islands(self.weight, side)
        large = int((shares >= LEAST).sum())
        self._island = torch.where(number < large, number, -1)
        self.shares, self.peaks = shares[:large], self.z[peaks[:large]]

    def island_of(self, z: Tensor) -> Tensor:
        """The number of the island of each place z (..., 2); -1 is the sea."""
        steps = [
            ((z[..., i] - ticks[0]) / (ticks[1] - ticks[0])).round().long()
            for i, ticks in enumerate((self.x, self.y))
        ]
        inside = torch.ones_like(steps[0], dtype=torch.bool)
        for step in steps:
            inside &= (step >= 0) & (step < len(self.x))
        row, column = (step.clamp(0, len(self.x) - 1) for step in steps)
        return torch.where(inside, self._island[row * len(self.x) + column], -1)

    def spent(self, walks: Tensor) -> Tensor:
        """The share of its steps that each walk spent on each island.

        Args:
            walks: places (steps, walks, 2).

        Returns:
            (walks, islands); what is missing to 1 was spent at sea.
        """
        visited = self.island_of(walks)
        counts = [(visited == i).float().mean(0) for i in range(len(self.shares))]
        return torch.stack(counts, 1)

    def one_on_each(self, places: Tensor) -> list[int]:
        """For each island that holds one of the places (n, 2), the first such place."""
        visited = self.island_of(places)
        first = [(visited == i).nonzero()[:1, 0] for i in range(len(self.shares))]
        return torch.cat(first).tolist()

    def total_variation(self, log_q: Callable[[Tensor], Tensor]) -> Tensor:
        """Of q, by the grid; what q puts beside the grid is on the wrong place, too."""
        q = log_q(self.z).exp() * self.cell
        return 0.5 * ((q - self.weight).abs().sum() + (1 - q.sum()).clamp(min=0))

    def kl(self, log_q: Callable[[Tensor], Tensor]) -> Tensor:
        """KL(q || posterior) in nats, by the grid; `log_q` gives log q(z) (n,)."""
        value = log_q(self.z)
        return (value.exp() * (value - self.log_density)).sum() * self.cell


def islands(weight: Tensor, side: int) -> tuple[Tensor, Tensor, Tensor]:
    """The islands of a map: connected places less than 7 nats below its peak.

    Args:
        weight: the probability of each place (side x side,).

    Returns:
        The number of the island of each place, -1 for the sea (side x side,), and of
        each island probability and highest place (k,), the most probable first.
    """
    above = weight > math.exp(-SEA) * weight.max()
    number, count = label(above.view(side, side).numpy(), np.ones((3, 3)))
    number = torch.from_numpy(number).flatten().long() - 1
    shares = torch.zeros(count).index_add(0, number[above], weight[above])
    order = shares.argsort(descending=True)
    rank = order.argsort()
    number = torch.where(above, rank[number.clamp_min(0)], -1)
    peaks = [torch.where(number == i, weight, 0.0).argmax() for i in range(count)]
    return number, shares[order], torch.stack(peaks)


class Cells:
    """A ruler for total variation: 12 x 12 cells over each of some posteriors.

    They reach five standard deviations of the posterior to each side of its mean.

    Attributes:
        exact: the probability of each cell (posteriors, 144).
    """

    SIDE, FINE = 12, 12  # cells along an axis, and places in a cell along an axis

    def __init__(self, scene: Landscape):
        self.mean, self.sd = scene.mean[None], scene.sd[None]
        ticks = (torch.arange(self.SIDE * self.FINE) + 0.5) / self.FINE
        self._scaled = torch.cartesian_prod(ticks, ticks) / self.SIDE * 10 - 5
        heights = predict(scene.log_joint, self._ruler()[:, 0], 4000)
        self.exact = self._add_up(heights.softmax(0)[:, None])

    @classmethod
    def together(cls, each: list["Cells"]) -> "Cells":
        """The rulers of several posteriors as one."""
        both = copy.copy(each[0])
        for name in ("mean", "sd", "exact"):
            setattr(both, name, torch.cat([getattr(one, name) for one in each]))
        return both

    def of_places(self, places: Tensor) -> Tensor:
        """The share of each walk in each cell: (steps, walks, 2) -> (walks, 144).

        There is a walk for each posterior. What lies outside of all cells counts for
        the nearest.
        """
        scaled = (places - self.mean) / self.sd  # -5 to 5
        cell = ((scaled + 5) / 10 * self.SIDE).floor().clamp(0, self.SIDE - 1).long()
        number = self.SIDE * cell[..., 0] + cell[..., 1]
        counts = torch.zeros(number.shape[1], self.SIDE**2)
        counts.scatter_add_(1, number.T, torch.ones_like(number.T, dtype=torch.float))
        return counts / len(places)

    def tv_of_places(self, places: Tensor) -> Tensor:
        """Total variation of walks (steps, walks, 2) from their posteriors (walks,)."""
        return 0.5 * (self.of_places(places) - self.exact).abs().sum(1)

    def tv_of_bells(self, mean: Tensor, factor: Tensor) -> Tensor:
        """Total variation of bells, means (n, 2) and triangular factors (n, 2, 2)."""
        bells = MultivariateNormal(mean, scale_tril=factor)
        area = self.sd.prod(1) * (10 / (self.SIDE * self.FINE)) ** 2
        inside = self._add_up(bells.log_prob(self._ruler()).exp() * area)
        outside = (1 - inside.sum(1)).clamp(min=0)
        return 0.5 * ((inside - self.exact).abs().sum(1) + outside)

    def _ruler(self) -> Tensor:
        return self.mean + self.sd * self._scaled[:, None]  # (places, posteriors, 2)

    def _add_up(self, weight: Tensor) -> Tensor:
        shape = (self.SIDE, self.FINE, self.SIDE, self.FINE, -1)
        return weight.view(shape).sum((1, 3)).flatten(0, 1).T


class Field:
    """Pictures with several runs each: walkers or bells, and a ruler for each of them.

    Attributes:
        pictures: of each run (pictures x runs, 784).
        start: of each run (n, 2), the best of some draws from the prior.
        cells: the rulers, see `Cells`.
    """

    def __init__(self, log_joint, pictures: Tensor, runs: int, looks: int):
        """From `log_joint(z, picture)`, pictures (n, 784), and looks for a start."""
        self.log_joint = log_joint
        self.pictures = pictures.repeat_interleave(runs, 0)
        starts = [good_starts(log_joint, x, runs, looks) for x in pictures]
        self.start = torch.cat(starts)
        scenes = [Landscape(partial(log_joint, picture=x)) for x in pictures]
        each = [Cells(scene) for scene in scenes for _ in range(runs)]
        self.cells = Cells.together(each)

    def target(self, z: Tensor) -> Tensor:
        """log p(x, z) of each run (n,) at its place z (n, 2)."""
        return self.log_joint(z, self.pictures)

    def error_of_walks(self, places: Tensor) -> float:
        """Median total variation of walks (steps, n, 2) without their first tenth."""
        kept = places[len(places) // 10 :]
        return self.cells.tv_of_places(kept).median().item()

    def error_of_bells(self, mean: Tensor, factor: Tensor) -> float:
        """Median total variation of bells, means (n, 2) and factors (n, 2, 2)."""
        return self.cells.tv_of_bells(mean, factor).median().item()


def good_starts(log_joint, picture: Tensor, runs: int, looks: int = 200) -> Tensor:
    """Places to begin at (runs, 2): each is the best of some draws from the prior.

    Args:
        log_joint: log p(x, z) (...) of places z (..., 2) and one picture x.
        picture: (784,).
    """
    z = torch.randn(runs, looks, 2)
    best = predict(partial(log_joint, picture=picture), z).argmax(dim=1)
    return z[torch.arange(runs), best]


def stays_below(counts: Sequence[float], errors: Sequence[float], goal: float) -> float:
    """The count from which on errors stay below a goal, between counts on log scales.

    It is the first count if all errors are below, and infinite if the last is not.
    """
    above = [i for i, error in enumerate(errors) if error >= goal]
    last = above[-1] if above else -1
    if last == len(errors) - 1:
        return math.inf
    if last == -1:
        return float(counts[0])
    steps = [math.log(errors[last] / error) for error in (goal, errors[last + 1])]
    return counts[last] * (counts[last + 1] / counts[last]) ** (steps[0] / steps[1])


def half_hidden_four(decoder, images: Tensor, labels: Tensor) -> int:
    """The index of a four whose upper half alone has several explanations.

    Of the fours among the images it takes the one whose islands lie farthest from one
    another, if 8 nats of water or more lie between any two of its three largest. The
    measure is the variance of their peaks, each weighed with the share of its island.

    Args:
        images: zeros and ones (n, 784).
        labels: (n,).
    """
    fours = (labels == 4).nonzero()[:, 0]
    found = _Islands(decoder, images, fours, UPPER, 2 * LEAST)

    def rating(i):
        return found.rating(i)[1] > DEEP, found.spread(i)

    return max(fours.tolist(), key=rating)


def tilted_picture(decoder, images: Tensor) -> int:
    """The index of the picture whose posterior has one island, tilted more than others.

    Args:
        images: zeros and ones (n, 784).
    """
    tilts = []
    for share in log_table(decoder, images, PLACES).softmax(0).T:
        centred = PLACES - share @ PLACES
        covariance = (centred.T * share) @ centred
        tilt = covariance[0, 1] / covariance.diag().prod().sqrt()
        alone = islands(share, COARSE)[1][0] > 0.995
        tilts.append(abs(tilt.item()) if alone else 0.0)
    return max(range(len(tilts)), key=tilts.__getitem__)


def typical_pictures(decoder, images: Tensor) -> list[int]:
    """Pictures whose posterior has one island, the most typical of them first.

    They are ordered by how far the total variation between posterior and the bell with
    its mean and covariance lies from the median.

    Args:
        images: zeros and ones (n, 784).
    """
    distances = {}
    for i, share in enumerate(log_table(decoder, images, PLACES).softmax(0).T):
        if islands(share, COARSE)[1][0] > 0.995:
            mean = share @ PLACES
            centred = PLACES - mean
            covariance = (centred.T * share) @ centred + 1e-4 * torch.eye(2)
            bell = MultivariateNormal(mean, covariance).log_prob(PLACES).softmax(0)
            distances[i] = 0.5 * (bell - share).abs().sum().item()
    middle = statistics.median(distances.values())
    return sorted(distances, key=lambda i: abs(distances[i] - middle))


def deepest_pair(decoder, images: Tensor, labels: Tensor) -> tuple[int, float]:
    """The four or nine with two islands and the deepest valley between them.

    Each island holds at least a fifth of the probability.

    Returns:
        Its index, and the depth of the valley in nats.
    """
    chosen = ((labels == 4) | (labels == 9)).nonzero()[:, 0]
    found = _Islands(decoder, images, chosen, 1.0, 0.2)
    best = max(chosen.tolist(), key=found.rating)
    return best, found.rating(best)[1]


class _Islands:
    """The islands of at least a share, of each chosen picture, and their valleys."""

    def __init__(self, decoder, images, chosen, seen, least):
        self.decoder, self.images, self.seen = decoder, images, seen
        self.found, self.shares = {}, {}
        shares = log_table(decoder, images[chosen], PLACES, seen).softmax(0).T
        for i, share in zip(chosen.tolist(), shares, strict=True):
            _, of_islands, peaks = islands(share, COARSE)
            self.found[i] = peaks[of_islands >= least][:3]
            self.shares[i] = of_islands[of_islands >= least][:3]

    def spread(self, i: int) -> float:
        """The variance of the peaks of picture i, weighed with their shares."""
        share, peaks = self.shares[i][:, None], PLACES[self.found[i]]
        mean = (share * peaks).sum(0) / share.sum()
        return (share * (peaks - mean) ** 2).sum().item()

    def rating(self, i: int) -> tuple[int, float]:
        """How many islands picture i has, and the depth of its shallowest valley."""
        peaks = PLACES[self.found[i]]
        pairs = list(itertools.combinations(peaks, 2))
        depths = [self.valley(i, *pair) for pair in pairs]
        return len(peaks), min(depths, default=0.0)

    def valley(self, i: int, start: Tensor, end: Tensor) -> float:
        """Nats from the lower peak down to the lowest place of the straight way."""
        way = start + torch.linspace(0, 1, 60)[:, None] * (end - start)
        heights = log_table(self.decoder, self.images[i : i + 1], way, self.seen)[:, 0]
        return (heights[[0, -1]].min() - heights.min()).item()
