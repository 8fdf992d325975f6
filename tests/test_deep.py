"""pytest runs this: the networks and the loop of the second visit of 03."""

import pytest
import torch
from torch import nn
from torch.nn.functional import cross_entropy

from helpers.deep import (
    Tied,
    best_of,
    convolutions,
    network,
    share_right,
    train,
    weighted,
    with_weights,
)

IMAGES = torch.rand(40, 784, generator=torch.Generator().manual_seed(0))
LABELS = (IMAGES[:, 0] > 0.5).long()


@pytest.mark.parametrize("net", [network(3), network(1, nn.ReLU, True), convolutions()])
def test_networks_give_ten_answers(net):
    assert net(IMAGES).shape == (40, 10)


def test_a_normalised_network_has_one_normalisation_a_hidden_layer():
    parts = [type(part) for part in network(3, nn.ReLU, normalised=True)]
    assert parts == [nn.Linear, nn.BatchNorm1d, nn.ReLU] * 3 + [nn.Linear]


def test_all_weights_are_drawn_and_biases_are_zero():
    net = with_weights(convolutions(), nn.init.ones_)
    assert len(weighted(net)) == 7
    for layer in weighted(net):
        assert (layer.weight == 1).all() and (layer.bias == 0).all()


def test_a_tied_autoencoder_goes_back_by_the_same_weights():
    layer = nn.Linear(5, 3)
    x = torch.rand(2, 5)
    wanted = (x @ layer.weight.T + layer.bias).sigmoid() @ layer.weight
    torch.testing.assert_close(Tied(layer)(x), wanted)


@pytest.mark.parametrize("stride", [1, 2])
def test_a_tied_convolution_restores_the_shape(stride):
    x = torch.rand(2, 1, 14, 14)
    assert Tied(nn.Conv2d(1, 8, 3, stride, padding=1))(x).shape == x.shape


def test_training_looks_every_twenty_steps_and_learns():
    torch.manual_seed(0)
    seen = []
    net = train(
        network(1, nn.ReLU),
        IMAGES,
        LABELS,
        cross_entropy,
        0.1,
        1,
        steps=100,
        look=lambda net: seen.append(net.training),
    )
    assert seen == [False] * 5 and not net.training
    assert share_right(net, IMAGES, LABELS) > 0.9


def test_the_best_setting_is_kept():
    def mark(net, rate, clip):
        net.mark = rate
        return net

    settings = [(0.1, 1), (0.3, None), (0.2, 1)]
    net, best = best_of(lambda: network(1), settings, mark, lambda net: net.mark)
    assert best == (0.3, None) and net.mark == 0.3
