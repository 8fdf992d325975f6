"""Whoever changes the drawing that opens a lesson calls this and looks at the result.

    python tools/draw_openings.py [01 ...]        (default: all lessons that have one)

Each drawing shows real numbers. Where a network is at work, a small one is trained
first (seed 0, half a minute). The picture becomes an attachment of the lesson's first
cell: JupyterLab, GitHub and exported pages show it without a run and without a network.
"""

import base64
import sys
from pathlib import Path

import nbformat
import torch
from run_notebooks import ROOT, save
from torch import nn

from helpers import figures, runtime
from helpers.compression.entropy import SymbolTables
from helpers.datasets import forty_things, mnist
from helpers.landscapes import (
    UPPER,
    Landscape,
    drawing_machine,
    half_hidden_four,
    log_table,
)
from helpers.likelihood import negative_elbo
from helpers.models import VAE, layers
from helpers.training import InFitPrecision, fit, predict, progress


def hourglass():
    """01: a test image, its code of thirty numbers, and what is restored from them."""
    digits = mnist()
    encoder, decoder = _small_autoencoder(digits.train)
    seven = digits.test[0]
    with torch.no_grad():
        code = encoder(seven[None])
        restored = decoder(code)[0]
    return figures.hourglass(seven, code[0], restored)


def way_into_a_file():
    """02: a test image, its code, the symbols, the bytes, and what they restore."""
    digits = mnist()
    encoder, decoder = _small_autoencoder(digits.train)
    codes = predict(encoder, digits.train[:20_000])
    step = 0.7 * codes.std()
    tables = SymbolTables((codes / step).round())
    seven = digits.test[:1]
    code = predict(encoder, seven)
    symbols = (code / step).round()
    restored = predict(decoder, symbols * step)
    return figures.way_into_a_file(
        seven[0], code[0], symbols[0].int().tolist(), tables.pack(symbols), restored[0]
    )


def layer_chain():
    """03: gradients of ten fresh layers, with sigmoids and with residual blocks.

    They are those of the lesson: of the weights, for 256 training images and all ten
    labels, divided by that of the tenth layer.
    """
    digits = mnist()
    images, labels = digits.train[:256].flatten(1), digits.train_labels[:256]
    plain, ends = [nn.Linear(784, 64), nn.Sigmoid()], [nn.Linear(64, 10)]
    for _ in range(9):
        plain += [nn.Linear(64, 64), nn.Sigmoid()]
    blocks = [_Residual() for _ in range(9)]
    residual = [nn.Linear(784, 64), *blocks, nn.BatchNorm1d(64), nn.ReLU(), *ends]
    rows = {}
    for title, parts in {
        "ten sigmoid layers": nn.Sequential(*plain, *ends),
        "ten residual layers": nn.Sequential(*residual),
    }.items():
        layers = [part for part in parts.modules() if isinstance(part, nn.Linear)]
        if "residual" in title:
            for layer in layers:
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)
        nn.functional.cross_entropy(parts(images), labels).backward()
        sizes = [layer.weight.grad.square().mean().sqrt() for layer in layers[:-1]]
        rows[title] = [(size / sizes[-1]).item() for size in sizes]
    return figures.layer_chain(digits.test[0], rows)


class _Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.change = nn.Sequential(nn.BatchNorm1d(64), nn.ReLU(), nn.Linear(64, 64))

    def forward(self, h):
        return h + self.change(h)


def _small_autoencoder(images):
    encoder = nn.Sequential(
        nn.Flatten(), nn.Linear(784, 512), nn.GELU(), nn.Linear(512, 30)
    )
    decoder = nn.Sequential(
        nn.Linear(30, 512),
        nn.GELU(),
        nn.Linear(512, 784),
        nn.Sigmoid(),
        nn.Unflatten(1, (1, 28, 28)),
    )
    fit(
        nn.Sequential(encoder, decoder),
        images,
        lambda restored, images: (restored - images).square().flatten(1).sum(1).mean(),
        epochs=6,
        name="autoencoder",
    )
    return encoder, decoder


def beliefs():
    """04: the belief in groups and things while four clues arrive."""
    world = forty_things()
    belief = torch.full((len(world.names),), 1 / len(world.names))
    film = {"no clue": belief}
    for clue in ("alive", "four legs", "swims", "lays eggs"):
        belief = belief * world.chance[:, world.questions.index(clue)]
        belief = belief / belief.sum()
        film[f'"{clue}"'] = belief
    shown = "dog otter platypus crocodile eagle oak diamond table ship".split()
    return figures.belief_film(film, world, shown)


def bill():
    """05: village A's orders in its own words and in those of village B."""
    books = {"in A's own words": [1, 2, 3, 3], "in B's words": [3, 3, 1, 2]}
    shares, dishes = [1 / 2, 1 / 4, 1 / 8, 1 / 8], ["soup", "rice", "fish", "cake"]
    return figures.bill(shares, books, dishes)


def half_of_a_four():
    """06: half of a four, the islands of its posterior, a drawing of each island."""
    digits = mnist()
    machine = drawing_machine(digits.train[:55_000], epochs=8)
    generator = runtime.current().generator(2)  # the lesson's own machine and picture
    test = torch.bernoulli(digits.test.flatten(1), generator=generator)[:5000]
    four = test[half_hidden_four(machine, test, digits.test_labels[:5000])]
    scene = Landscape(lambda z: log_table(machine, four[None], z, UPPER)[:, 0])
    return figures.hidden_half_drawing(four, scene, machine)


def imagining_machine():
    """07: a test image, its cloud of two latents, one point of it, and the drawing.

    Of the first 500 test images whose drawing fits well, ones left out, the
    one with the widest cloud is taken, because most clouds are too small to be seen.
    """
    digits = mnist()
    vae = VAE(2, (512, 256))

    fit(
        vae,
        digits.train,
        negative_elbo,
        epochs=2,
        lr=4e-3,
        batch_size=512,
        transform=_coins,
        name="imagining machine",
    )
    images = torch.bernoulli(digits.test[:500])
    with torch.no_grad():
        mean, log_variance = vae.cpu().cloud(images)
        spread = (log_variance / 2).exp()
        z = mean + spread * torch.randn_like(mean)
        drawings = vae.decoder(z).sigmoid().view_as(images)
    hits = torch.where(images > 0.5, drawings, 1 - drawings)
    costs = -hits.clamp_min(1e-6).log().flatten(1).sum(1)
    fits = (costs < costs.quantile(0.15)) & (digits.test_labels[:500] != 1)
    fits &= mean.norm(dim=1) < 1.9
    best = spread.log().sum(1).masked_fill(~fits, -torch.inf).argmax()
    return figures.imagining_machine(
        images[best], mean[best], spread[best], z[best], drawings[best]
    )


def two_machines():
    """08: a small VAE and a small GAN at work, with an early and a late forgery.

    The early forgery is the first one of round 100. The late one is, of the last
    round's first hundred, the one that the detective finds most probably real.
    """
    digits = mnist()
    train, seven, two = digits.train, digits.test[0], digits.test[1]
    vae = VAE(20, (512, 256))
    fit(vae, train, negative_elbo, epochs=3, lr=3e-3, transform=_coins, name="VAE")
    forger = InFitPrecision(
        nn.Sequential(
            *layers(64, 256, 512, 784), nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))
        )
    )
    detective = InFitPrecision(
        nn.Sequential(
            nn.Flatten(),
            nn.Linear(784, 512),
            nn.LeakyReLU(0.2),
            nn.Dropout(0.3),
            nn.Linear(512, 1),
        )
    )
    adams = [
        torch.optim.Adam(network.parameters(), lr=4e-4, betas=(0.5, 0.999))
        for network in (forger, detective)
    ]
    softplus = nn.functional.softplus  # softplus(-s) is -log D, softplus(s) -log(1 - D)
    still = torch.randn(100, 64)
    for step in progress(range(1500), "GAN"):
        real = train[torch.randint(len(train), (128,))]
        forged = forger(torch.randn(128, 64))
        scores = detective(real), detective(forged.detach())
        losses = [softplus(-scores[0]).mean() + softplus(scores[1]).mean()]
        adams[1].zero_grad()
        losses[0].backward()
        adams[1].step()
        adams[0].zero_grad()
        softplus(-detective(forged)).mean().backward()
        adams[0].step()
        if step == 100:
            early = predict(forger, still)[0]
    drawn = predict(forger, still)
    late = drawn[predict(detective, drawn)[:, 0].argmax()]
    with torch.no_grad():
        mean, _ = vae.cpu().cloud(torch.bernoulli(seven[None]))
        restored = vae.decoder(mean).sigmoid().view(1, 28, 28)
    shown = torch.stack([two, early, late])
    verdicts = predict(detective, shown)[:, 0].sigmoid().tolist()
    return figures.two_machines(
        torch.stack([seven, two]), restored, shown[1:], verdicts
    )


def _coins(images):
    return (torch.bernoulli(images),)


def boxes_and_pile():
    """09: four cards in two boxes, and a pile of bits before and after diamonds."""
    return figures.boxes_and_pile()


# From the number of a lesson to its picture's name and the function that draws it.
DRAWINGS = {
    "01": ("hourglass.png", hourglass),
    "02": ("way_into_a_file.png", way_into_a_file),
    "03": ("layer_chain.png", layer_chain),
    "04": ("beliefs.png", beliefs),
    "05": ("bill.png", bill),
    "06": ("half_of_a_four.png", half_of_a_four),
    "07": ("imagining_machine.png", imagining_machine),
    "08": ("two_machines.png", two_machines),
    "09": ("boxes_and_pile.png", boxes_and_pile),
}


def attach(path: Path, name: str, png: bytes) -> None:
    """Puts a picture into the first cell of a notebook, in place of one of that name.

    Raises:
        ValueError: the cell's text shows no picture of that name.
    """
    notebook = nbformat.read(path, as_version=4)
    cell = notebook.cells[0]
    if f"(attachment:{name})" not in cell.source:
        raise ValueError(
            f"{path.name}: its first cell does not show attachment:{name}."
        )
    text = base64.b64encode(png).decode("ascii")
    cell["attachments"] = {name: {"image/png": text}}
    save(notebook, path)


def main() -> None:
    for number in sys.argv[1:] or DRAWINGS:
        name, draw = DRAWINGS[number]
        (path,) = (ROOT / "notebooks").glob(f"{number}_*.ipynb")
        runtime.start(path.stem, seed=0)
        attach(path, name, figures.to_png(draw()))
        print(f"{path.name}: {name}")


if __name__ == "__main__":
    main()
