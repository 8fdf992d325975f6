"""Networks that one notebook teaches and a later one needs again.

Each says where it is taught; a test compares it with the text there, so that the two
cannot drift apart.
"""

import itertools
import math

import torch
from torch import nn

from helpers.training import random_shift


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


def no_digits(images, labels):
    """Pictures of no digit, made from pairs of different digits in three ways.

    Taught in 01.
    """
    different = (labels != labels.roll(1)).nonzero()[:120, 0]
    a, b, c = images[different].chunk(3)
    d, e, _ = images.roll(1, 0)[different].chunk(3)
    overlaid = torch.maximum(a, d)
    glued = torch.cat([b[:, :, :14], e[:, :, 14:]], dim=2)
    shuffled = c.flatten(1)[:, torch.randperm(784)].view_as(c)
    return torch.cat([overlaid, glued, shuffled])


def add_no_digits(images, labels):
    """Adds a quarter as many pictures of no digit, with the label 10.

    Taught in 01.
    """
    nothing = no_digits(images[:150], labels[:150])
    images = torch.cat([random_shift(images), nothing])
    return images, torch.cat([labels, torch.full_like(labels[: len(nothing)], 10)])


def dense(*sizes):
    """Linear layers of these sizes, bent between any two, and not normalised.

    Taught in 07.
    """
    stack = []
    for before, after in itertools.pairwise(sizes):
        stack += [nn.Linear(before, after), nn.GELU()]
    return stack[:-1]


class VAE(nn.Module):
    """Binary images (n, 1, 28, 28) -> logits (n, 784), means and log-variances.

    Taught in 07.
    """

    def __init__(self, latents, widths):
        super().__init__()
        self.encoder = nn.Sequential(nn.Flatten(), *dense(784, *widths, 2 * latents))
        self.decoder = nn.Sequential(*dense(latents, *reversed(widths), 784))

    def cloud(self, images):
        """Means and log-variances of q(z | x), each (n, latents)."""
        return self.encoder(images).float().chunk(2, dim=1)

    def forward(self, images):
        mean, log_variance = self.cloud(images)
        z = mean + (0.5 * log_variance).exp() * torch.randn_like(mean)
        return self.decoder(z), mean, log_variance


class BernoulliMixture:
    """K components of D yes/no features: log_weights (K,) in nats, probs (K, D).

    The mixture of lesson 04 as one object.
    """

    def __init__(self, log_weights, probs):
        self.log_weights, self.probs = log_weights, probs

    def log_joint(self, x):
        """Answers x (n, D) of 0 and 1 -> log p(x, z=k) in nats (n, K)."""
        log_yes, log_no = self.probs.log(), torch.log1p(-self.probs)
        return self.log_weights + x @ (log_yes - log_no).T + log_no.sum(1)

    def log_prob(self, x):
        """log p(x) in nats (n,): the sum over k, taken without leaving the logs."""
        return self.log_joint(x).logsumexp(1)

    def posterior(self, x):
        """p(z=k | x), each row adds up to 1 (n, K)."""
        return self.log_joint(x).softmax(1)

    def sample(self, count, generator=None):
        """Draws z (count,), then x (count, D) given z."""
        weights = self.log_weights.exp()
        z = torch.multinomial(weights, count, replacement=True, generator=generator)
        return z, torch.bernoulli(self.probs[z], generator=generator)


def em_step(mixture, x, floor):
    """One step of EM: a better mixture, and log p(x) of the old one (nats per row).

    The E and the M step of lesson 04. x is (n, D), of any type. It is read in parts, so
    that memory stays small.
    """
    count, total = torch.zeros(mixture.probs.shape[0]), 0.0
    yes = torch.zeros_like(mixture.probs)
    for part in x.split(5000):
        part = part.float()
        log_joint = mixture.log_joint(part)
        log_p = log_joint.logsumexp(1, keepdim=True)
        share = (log_joint - log_p).exp()  # E: how much of each row belongs to each k
        count += share.sum(0)
        yes += share.T @ part
        total += log_p.double().sum().item()
    probs = (yes / count.clamp_min(1e-9)[:, None]).clamp(floor, 1 - floor)  # M
    return BernoulliMixture((count / count.sum()).log(), probs), total / len(x)


def em(x, components, steps, generator, floor=1e-4):
    """Fits a mixture to x (n, D); also returns log p(x) (nats per row) of each step.

    The function `em` of lesson 04, with the start that is used there.
    """
    if not 1 <= components <= len(x):
        raise ValueError(f"components must be from 1 to {len(x)}, not {components}.")
    chosen = torch.randperm(len(x), generator=generator)[:components]
    probs = 0.25 + 0.5 * x[chosen].float()
    equal = torch.full((components,), -math.log(components))
    mixture, history = BernoulliMixture(equal, probs), []
    for _ in range(steps):
        mixture, log_p = em_step(mixture, x, floor)
        history.append(log_p)
    return mixture, history
