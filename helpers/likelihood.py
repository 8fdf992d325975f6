"""Notebooks with a latent variable call this module for log p(x): a lower bound (the
ELBO), a tighter one (importance-weighted), and the exact value where the latent has two
dimensions.

The model is the same everywhere: the prior of the latent z is a standard Gaussian, and
given z the pixels are independent coins; `decoder(z)` gives their logits. Notebook 06,
which teaches these quantities, writes them out; a test compares the two.
"""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor
from torch.nn.functional import softplus

Network = Callable[[Tensor], Tensor]
Encoder = Callable[[Tensor], Tensor | Sequence[Tensor]]


def log_joint(x: Tensor, z: Tensor, decoder: Network) -> Tensor:
    """log p(x, z) = log p(x | z) + log p(z), in nats.

    Args:
        x: binary images (n, ...), zeros and ones of any type, also bool.
        z: latents (n, d), or (k, n, d) for k latents of each image; log p(z) is that of
            a standard Gaussian.
        decoder: from latents (b, d) to logits (b, ...) with as many pixels as an image.

    Returns:
        One number for each latent: (n,) or (k, n).

    Raises:
        ValueError: an image is not binary, or shapes do not fit.
    """
    x = _binary(x)
    if z.ndim < 2 or z.shape[-2] != len(x):
        raise ValueError(f"{len(x)} images do not go with latents {tuple(z.shape)}.")
    logits = _logits(decoder, z.flatten(0, -2), x).view(*z.shape[:-1], -1)
    return (x * logits - softplus(logits)).sum(-1) + log_standard_normal(z)


def elbo(
    x: Tensor,
    encoder: Encoder,
    decoder: Network,
    *,
    samples: int = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """A lower bound of log p(x), in nats: E_q[log p(x | z)] - KL(q(z | x) || p(z)).

    The KL divergence between the Gaussians is exact, the expectation is a mean over
    `samples` reparameterised draws, so that gradients reach both networks (Kingma and
    Welling, 2013, arXiv:1312.6114, eq. 10).

    Args:
        x: binary images (n, ...), zeros and ones of any type, also bool.
        encoder: from images (n, ...) to the means and log-variances of q, as a pair of
            (n, d) or side by side as (n, 2 d).
        decoder: from latents (b, d) to logits (b, ...).
        samples: draws of z for each image.
        generator: for the draws, on the device of the encoder's output; by default
            torch's own.

    Returns:
        One unbiased estimate for each image, (n,). Its expectation lies below log p(x).

    Raises:
        ValueError: `samples` is below 1, an image is not binary, or shapes do not fit.
    """
    mean, log_variance = _gaussian(encoder, x)
    z, _ = _draw(mean, log_variance, samples, generator)
    log_likelihood = (log_joint(x, z, decoder) - log_standard_normal(z)).mean(0)
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
    return log_likelihood - divergence


def negative_elbo(output, images: Tensor) -> Tensor:
    """The bill of lesson 07, the loss of a VAE: distortion plus rate, in nats.

    Args:
        output: what `helpers.models.VAE` returned for the images: logits (n, pixels),
            means and log-variances (n, d).
        images: binary images (n, ...), zeros and ones, or chances in [0, 1].

    Returns:
        The mean over the images, one number.
    """
    logits, mean, log_variance = output
    images = images.flatten(1)
    distortion = (softplus(logits) - images * logits).sum(1)
    rate = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)
    return (distortion + rate).mean()


def importance_weighted(
    x: Tensor,
    encoder: Encoder,
    decoder: Network,
    k: int,
    *,
    rows: int = 4000,
    generator: torch.Generator | None = None,
) -> Tensor:
    """A bound of log p(x) in nats: the log of the mean of k ratios p(x, z) / q(z | x).

    Its expectation is the ELBO for k = 1, rises with k, and approaches log p(x) (Burda,
    Grosse and Salakhutdinov, 2015, arXiv:1509.00519, eq. 8).

    Args:
        x, encoder, decoder, generator: as in `elbo`.
        k: draws of z for each image.
        rows: about so many latents (draws times images) are decoded at a time, at least
            one draw of each image. k = 5000 needs no more memory than k = 1.

    Returns:
        One estimate for each image, (n,). Gradients reach both networks, but then all k
        draws stay in memory: for evaluation call it under `torch.no_grad()`, batch by
        batch behind `training.progress`.

    Raises:
        ValueError: `k` or `rows` is below 1, an image is not binary, or shapes do not
            fit.
    """
    if k < 1 or rows < 1:
        raise ValueError(f"k and rows must be at least 1, not {k} and {rows}.")
    mean, log_variance = _gaussian(encoder, x)
    total, chunk = None, max(1, rows // max(1, len(x)))
    for start in range(0, k, chunk):
        count = min(chunk, k - start)
        z, noise = _draw(mean, log_variance, count, generator)
        log_q = log_standard_normal(noise) - 0.5 * log_variance.sum(1)
        part = (log_joint(x, z, decoder) - log_q).logsumexp(0)
        total = part if total is None else torch.logaddexp(total, part)
    return total - math.log(k)


@torch.no_grad()
def exact_on_grid(
    x: Tensor,
    decoder: Network,
    *,
    side: int = 400,
    edge: float = 6.0,
    chunk: int = 2000,
) -> Tensor:
    """log p(x) in nats for a latent of two dimensions: a sum over a square grid.

    The integral of p(x, z) over the plane becomes a sum over side x side places times
    the area of a cell. For a smooth posterior that is wider than a cell and lies inside
    the square, the error falls faster than any power of the cell's width (Trefethen and
    Weideman, 2014, doi:10.1137/130932132). Compare two grids to see whether it does.

    Args:
        x: binary images (n, ...), zeros and ones of any type, also bool.
        decoder: from latents (b, 2) to logits (b, ...).
        side: places along one axis.
        edge: the grid covers [-edge, edge] along both axes.
        chunk: so many places at a time; memory grows with chunk x n.

    Returns:
        One number for each image, (n,).

    Raises:
        ValueError: `side` is below 2, `edge` or `chunk` not positive, an image not
            binary, or shapes do not fit.
    """
    places, cell = square_grid(side, edge, x.device)
    if chunk < 1:
        raise ValueError(f"chunk must be at least 1, not {chunk}.")
    x, total = _binary(x), None
    for z in places.split(chunk):
        logits = _logits(decoder, z, x)
        rest = log_standard_normal(z) - softplus(logits).sum(1)
        with torch.autocast(x.device.type, enabled=False):  # bfloat16 loses 0.01 nats
            part = (logits @ x.T.to(logits.dtype) + rest[:, None]).logsumexp(0)
        total = part if total is None else torch.logaddexp(total, part)
    return total + math.log(cell)


def square_grid(side: int, edge: float, device=None) -> tuple[Tensor, float]:
    """Places (side^2, 2) of a square grid over [-edge, edge]^2, and a cell's area."""
    if side < 2 or not edge > 0:
        raise ValueError(f"a grid needs side >= 2 and edge > 0, not {side} and {edge}.")
    ticks = torch.linspace(-edge, edge, side, device=device)
    return torch.cartesian_prod(ticks, ticks), (2 * edge / (side - 1)) ** 2


def log_standard_normal(z: Tensor) -> Tensor:
    """The log density in nats of the standard Gaussian at z (..., d): (...)."""
    return -0.5 * z.square().sum(-1) - 0.5 * z.shape[-1] * math.log(2 * math.pi)


def _gaussian(encoder: Encoder, x: Tensor) -> tuple[Tensor, Tensor]:
    output = encoder(x if x.is_floating_point() else x.float())
    if isinstance(output, Tensor) and output.ndim == 2 and output.shape[1] % 2 == 0:
        output = output.chunk(2, dim=1)
    shapes = [tuple(part.shape) for part in output]
    if len(shapes) != 2 or shapes[0] != shapes[1] or len(shapes[0]) != 2:
        raise ValueError(
            "the encoder must give means and log-variances, as a pair of (n, d) or "
            f"side by side as (n, 2 d), not {shapes}."
        )
    return output[0].float(), output[1].float()


def _logits(decoder: Network, z: Tensor, x: Tensor) -> Tensor:
    """The decoder's output for z (b, d) as (b, pixels), checked against images x."""
    logits = decoder(z).flatten(1).float()
    if logits.shape[1] != x.shape[1]:
        raise ValueError(
            f"the decoder gives {logits.shape[1]} logits, an image has {x.shape[1]} "
            "pixels."
        )
    return logits


def _draw(mean, log_variance, samples, generator) -> tuple[Tensor, Tensor]:
    if samples < 1:
        raise ValueError(f"samples must be at least 1, not {samples}.")
    noise = torch.empty(samples, *mean.shape, device=mean.device)
    noise.normal_(generator=generator)
    return mean + (0.5 * log_variance).exp() * noise, noise


def _binary(x: Tensor) -> Tensor:
    if x.ndim < 2:
        raise ValueError(f"images must be (n, ...), not {tuple(x.shape)}.")
    x = x.flatten(1)
    if not ((x == 0) | (x == 1)).all():
        raise ValueError("images must be zeros and ones; torch.bernoulli makes them.")
    return x if x.is_floating_point() else x.float()
