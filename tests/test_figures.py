"""Figures say in words what they show, and nothing in them is cut off."""

import io
import itertools

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.figure import Figure
from PIL import Image

from helpers import figures
from helpers.datasets import CROWDS, FORM

ALT = "A line that rises from the lower left to the upper right."


@pytest.fixture
def shown(monkeypatch):
    """What was displayed: pairs of the data and the metadata."""
    calls = []

    def display(data, metadata=None, raw=False):
        assert raw
        calls.append((data, metadata))

    monkeypatch.setattr(figures.style, "display", display)
    return calls


def drawing():
    figure, axes = plt.subplots()
    axes.plot([1, 2, 3], label="growth")
    return figure


@pytest.mark.parametrize("alt", ["", "   ", None, "A line.", "x" * 39, "a " + 40 * " "])
def test_a_figure_needs_a_text(shown, alt):
    figure = drawing()
    with pytest.raises(ValueError, match="at least 40 characters"):
        figures.show(figure, alt)
    assert shown == []
    plt.close(figure)


def test_show(shown):
    before = plt.get_fignums()
    figures.show(
        drawing(), "  A line that rises from the lower left\n to the upper right. "
    )
    assert plt.get_fignums() == before
    (picture, metadata), (caption, _) = shown
    assert picture["image/png"].startswith(b"\x89PNG\r\n\x1a\n")
    assert metadata == {"image/png": {"alt": ALT}}
    assert ALT in picture["text/plain"]
    assert caption["text/markdown"] == f"*{ALT}*"


def test_the_same_figure_gives_the_same_bytes():
    first, second = drawing(), drawing()
    png = figures.to_png(first)
    assert png == figures.to_png(second) == figures.to_png(first)
    assert not any(word in png for word in (b"tIME", b"Software", b"Creation"))
    plt.close(first)
    plt.close(second)


def test_house_style():
    image = Image.open(io.BytesIO(figures.to_png(Figure())))
    assert image.size == (680, 340)
    assert image.convert("RGBA").getpixel((0, 0)) == (255, 255, 255, 255)


def texts_of(figure):
    found = list(figure.texts)
    for axes in figure.axes:
        found += axes.texts
    return found


def assert_nothing_is_cut(figure):
    figure.canvas.draw()
    width, height = figure.get_size_inches() * figure.dpi
    for text in texts_of(figure):
        box = text.get_window_extent()
        assert box.x0 >= 0 and box.x1 <= width, text.get_text()
        assert box.y0 >= 0 and box.y1 <= height, text.get_text()
    return texts_of(figure)


def pixels_of(figure):
    png = figures.to_png(figure)
    return np.asarray(Image.open(io.BytesIO(png)).convert("L"))


@pytest.mark.parametrize("columns", [1, 3, 10])
@pytest.mark.parametrize(
    "names",
    [
        ["a", "b"],
        ["original", "PCA, 30 numbers"],
        ["WWWWWWWWWWWWWWWW", "i"],
        ["autoencoder with 30 numbers", "x"],
        ["two\nlines of text", "x"],
    ],
)
def test_names_of_rows_are_not_cut(names, columns):
    figure = figures.image_grid(
        {name: torch.ones(columns, 1, 28, 28) for name in names}
    )
    texts = assert_nothing_is_cut(figure)
    assert [text.get_text() for text in texts] == names
    assert figure.get_figwidth() <= figures.WIDTH + 1e-9
    for text, axes in zip(texts, figure.axes, strict=True):
        name, row = text.get_window_extent(), axes.get_window_extent()
        assert 2 < row.x0 - name.x1 < 15  # close by, but not on the pictures
        assert row.y0 < (name.y0 + name.y1) / 2 < row.y1


def test_names_of_rows_that_leave_no_room():
    with pytest.raises(ValueError, match="break it into lines"):
        figures.image_grid({"a name far too long " * 3: torch.zeros(2, 28, 28)})


def test_titles_are_not_cut():
    rows = {"original": torch.zeros(3, 28, 28), "copy": torch.zeros(3, 28, 28)}
    figure = figures.image_grid(rows, titles=["one", "two", "gap"])
    texts = [text.get_text() for text in assert_nothing_is_cut(figure)]
    assert sorted(texts) == ["copy", "gap", "one", "original", "two"]
    top = figure.axes[0].get_window_extent().y1
    assert all(text.get_window_extent().y0 >= top for text in figure.axes[0].texts)


def test_a_title_is_no_wider_than_its_column():
    rows = {"": torch.zeros(6, 28, 28)}
    titles = ["original", "noisy", "blur", "median", "PCA", "autoencoder"]
    figure = figures.image_grid(rows, titles=titles)
    texts = [t for t in assert_nothing_is_cut(figure) if t.get_text() in titles]
    boxes = sorted((t.get_window_extent() for t in texts), key=lambda box: box.x0)
    assert len(boxes) == 6
    assert all(a.x1 <= b.x0 for a, b in itertools.pairwise(boxes))


@pytest.mark.parametrize(
    "kind",
    [
        lambda t: t,
        lambda t: t[:, 0],
        lambda t: t.numpy(),
        lambda t: t.bool(),
        lambda t: t.requires_grad_(),
    ],
)
def test_a_block_of_images(kind):
    figure = figures.image_grid(kind(torch.ones(25, 1, 28, 28)))
    assert len(figure.axes) == 3 and texts_of(figure) == []
    assert figure.get_figwidth() <= figures.WIDTH + 1e-9
    figure = figures.image_grid(kind(torch.ones(25, 1, 28, 28)), columns=5)
    assert len(figure.axes) == 5


def test_each_image_in_its_place():
    values = torch.tensor([0.2, 0.5, 0.8])
    images = values[:, None, None, None] * torch.ones(3, 1, 28, 28)
    shown = figures.image_grid(images).axes[0].images[0].get_array()
    assert shown.shape == (28, 90)
    for i, value in enumerate(values.tolist()):
        assert np.allclose(shown[:, 30 * i + 1 : 30 * i + 29], value)
    assert figures.image_grid(images).axes[0].images[0].get_clim() == (0, 1)


def test_rows_of_different_length():
    rows = {"three": torch.zeros(3, 28, 28), "one": torch.zeros(1, 28, 28)}
    figure = figures.image_grid(rows)
    long, short = (axes.images[0].get_array() for axes in figure.axes)
    assert long.shape == short.shape == (28, 90)
    assert (short[:, :30] == 0).all() and (short[:, 30:] == 1).all()
    assert_nothing_is_cut(figure)
    cut = figures.image_grid(rows, columns=2).axes[0].images[0].get_array()
    assert cut.shape == (28, 60)


def test_white_images_are_white_and_black_ones_black():
    assert pixels_of(figures.image_grid(torch.ones(2, 28, 28))).max() == 255
    middle = pixels_of(figures.image_grid(torch.zeros(1, 28, 28)))
    assert middle[middle.shape[0] // 2, middle.shape[1] // 2] == 0


def test_grid_leaves_nothing_in_pyplot():
    before = plt.get_fignums()
    figures.image_grid(torch.zeros(2, 28, 28))
    assert plt.get_fignums() == before


@pytest.mark.parametrize("shape", [(28, 28), (3, 784), (3, 3, 28, 28), (3, 1, 28, 27)])
def test_grid_rejects_other_shapes(shape):
    for rows in (torch.zeros(shape), {"row": torch.zeros(shape)}):
        with pytest.raises(ValueError, match=r"images must be \(n, 1, 28, 28\)"):
            figures.image_grid(rows)


@pytest.mark.parametrize(
    "value", [-0.01, 1.01, 255.0, float("nan"), float("inf"), -float("inf")]
)
def test_grid_rejects_other_ranges(value):
    images = torch.zeros(2, 1, 28, 28)
    images[1, 0, 3, 3] = value
    with pytest.raises(ValueError, match=r"pixels must lie in \[0, 1\]"):
        figures.image_grid(images)


def test_grid_forgives_rounding():
    images = torch.full((1, 28, 28), 1.0005)
    assert figures.image_grid(images).axes[0].images[0].get_array().max() == 1


@pytest.mark.parametrize(
    "rows", [{}, {"row": torch.zeros(0, 28, 28)}, torch.zeros(0, 28, 28)]
)
def test_grid_of_nothing(rows):
    with pytest.raises(ValueError, match="there is no image"):
        figures.image_grid(rows)


@pytest.mark.parametrize("columns", [0, -1])
def test_grid_without_columns(columns):
    with pytest.raises(ValueError, match="columns must be at least 1"):
        figures.image_grid(torch.zeros(2, 28, 28), columns=columns)


@pytest.mark.parametrize(
    ("at", "x", "side"), [("right", 2, "left"), ("left", 0, "right")]
)
def test_label_lines(at, x, side):
    figure = Figure()
    axes = figure.subplots()
    axes.plot([0, 1, 2], [5, 6, 9], label="a line with a long name", color="#0072B2")
    axes.plot([0, 1, 2], [1, 2, 3])  # no name, no label
    axes.plot([], [], label="empty")
    figures.label_lines(axes, at=at)
    (text,) = assert_nothing_is_cut(figure)
    assert text.get_text() == "a line with a long name"
    assert text.xy == (x, 9 if x else 5)
    assert text.get_color() == "#0072B2" and text.get_ha() == side


torch.manual_seed(0)
DIGIT = torch.rand(1, 28, 28)
POINTS = torch.randn(50, 2)
SIDE = torch.tensor([4.4, -0.0012])  # its name needs more room than there is
GRID = torch.linspace(-7, 7, 50)
BELL = torch.exp(-GRID.square() / 8)  # wide: nowhere zero
BELL = BELL / BELL.sum()
INFINITE = float("inf")
EDGES, NORMAL = torch.arange(-5, 6.0), torch.distributions.Normal(0.0, 1.0)


@pytest.mark.parametrize(
    "drawing",
    [
        figures.hourglass(DIGIT, torch.randn(30), DIGIT / 2),
        figures.squared_error_drawing(DIGIT, DIGIT / 2),
        figures.pixel_table(DIGIT, slice(7, 14), slice(6, 20)),
        figures.points_and_line(POINTS, POINTS / 2, POINTS[0], POINTS[0] / 2),
        figures.points_and_line(POINTS, POINTS / 2, SIDE, SIDE / 2),
        figures.restored_points(POINTS, {name: POINTS for name in "abcd"}),
        figures.two_clouds({"one": POINTS, "other": POINTS + 1}),
        figures.place_on_map(POINTS, POINTS[0], DIGIT),
        figures.pictures_on_a_curve(torch.rand(9, 1, 28, 28)),
        figures.bill([0.75, 0.25], {"own": [1, 2], "other": [3, 1]}, ["tea", "milk"]),
        figures.form_shares(FORM, CROWDS),
        figures.paid_bills({"dogs": {"dogs": 4.4, "village A": 23.0}}),
        figures.pairs_of_bars({"one": {"a": [1, 2], "b": [2, INFINITE]}}, ["x", "y"]),
        figures.tangent([0.5, 0.5], [0.2, 0.8], ["tea", "milk"]),
        figures.bins(
            {"wide": (EDGES, *(NORMAL.cdf(EDGES - m).diff() for m in (0, 1)))}
        ),
        figures.two_bells(GRID, BELL, BELL.roll(3), 1.0, 1.0),
        figures.fits_in_motion(GRID, BELL, {"forward": {0: BELL, 400: BELL}}),
        figures.penalties(GRID, BELL, {"forward": BELL.roll(1), "reverse": BELL}),
        figures.settling(
            {"animals": [2.0] * 20, "plants": [2.1] * 20},
            level=("entropy", 1.0),
            xlabel="things",
            ylabel="nats",
        ),
        figures.answers_and_bills(
            DIGIT.expand(3, 1, 28, 28), torch.full((3, 10), 0.1), [0, 5, 9]
        ),
        figures.heat_table(100 * torch.rand(10, 10), [(4, 9)]),
        figures.way_into_a_file(
            DIGIT, torch.randn(30), [-12] * 30, bytes(range(12)), DIGIT
        ),
        figures.code_words({"a": "0", "b": "10", "c": "110", "d": "111"}),
        figures.narrowing("abba", {"a": 0.9, "b": 0.1}),
        figures.halvings(0.59, 0.65),
        figures.rounding_and_noise(),
        figures.price_as_area(0.3, 1.2, 2),
        figures.bytes_and_errors({"one": [(5, 9)], "two": [(20, 4), (9, 11)]}),
        figures.water(np.geomspace(5, 0.001, 50), levels=(1, 0.1)),
        figures.block_of_waves(np.arange(64).reshape(8, 8) * 4, step=20),
        figures.imagining_machine(
            DIGIT.round(), POINTS[0], POINTS[1].abs(), POINTS[0], DIGIT
        ),
        figures.bill_by_hand(
            POINTS[0], POINTS[1].abs(), torch.tensor([1.0, 0]), torch.tensor([0.9, 0.2])
        ),
        figures.clouds_in_plane(
            {"points": (POINTS, None), "clouds": (POINTS, POINTS.abs())},
            torch.arange(50) % 10,
        ),
        figures.share_bars({name: {"point": 0.2, "cloud": 0.4} for name in "ab"}),
        figures.ladder_of_bars(dict(ours=90, theirs=80), marked="ours", xlabel="nats"),
        figures.tradeoff({0.1: (60, 40), 1: (67, 24), 10: (140, 5)}, best=1),
        figures.latent_rates({beta: POINTS[:20, 0].abs() for beta in (0.1, 1, 3, 10)}),
        figures.boxes_and_pile(),
        figures.pile_film(),
        figures.digits_of_symbols({"a": 7, "b": 3}, 347, "b", 1159),
        figures.popped_cells(GRID, [1] * (len(GRID) - 1), [3, 4, 4]),
        figures.three_prices(194, 103, 164),
        figures.fineness({"a": ([1, 2, 16], [160, 150, 400])}, level=137),
        figures.grey_line(np.linspace(-7, 8, 257)),
        figures.layer_chain(
            DIGIT, {"a": np.geomspace(1e-8, 1, 10), "b": np.linspace(5, 1, 10)}
        ),
        figures.named_digits(
            DIGIT.expand(10, 1, 28, 28), [7] * 10, {"10 layers": range(10)}
        ),
        figures.sigmoid_and_slope(),
        figures.sizes_by_layer({"a": np.geomspace(1e-8, 1, 10), "b": [1] * 30}, "size"),
        figures.stacking_film(
            DIGIT, [(torch.rand(64), torch.rand(n)) for n in (784, 64, 64)]
        ),
        figures.histograms_of_sums({n: 2 * torch.arange(-n, n) for n in (1, 16, 64)}),
        figures.cloud_film({"a": {0: POINTS, 30: 1e-9 * POINTS}}),
        figures.before_and_after(POINTS, POINTS - 9),
        figures.numbers_of_pictures({"one": POINTS[:9], "b": POINTS[:9]}, range(9)),
        figures.residual_block(),
        figures.depth_table({("a long name, here", 3): 0.1, ("b", 100): 0.97}),
        figures.sigmoid_that_hands_on(),
        figures.clouds_and_ratios({2.0: POINTS, 1.22: POINTS, 1.05: POINTS}),
        figures.one_normalised_layer(),
        figures.sizes_along({"a": np.geomspace(1e-8, 1, 10), "b": [1] * 30}, "size"),
        figures.shares_by_rate({"a": {0.03: 0.1, 1: 0.9}, "b": {0.03: 0.9, 1: 0.1}}),
        figures.shares_by_work({"a": ([20, 600], [0.1, 0.96])}, (0.9, 0.95)),
    ],
)
def test_nothing_of_a_drawing_is_cut(drawing):
    pixels = np.asarray(Image.open(io.BytesIO(figures.to_png(drawing))).convert("L"))
    assert pixels.min() < 100 and plt.get_fignums() == []
    assert drawing.get_figwidth() <= figures.WIDTH + 1e-9
    edges = drawing.bbox
    for axes in drawing.axes:
        for text in axes.texts:
            box = text.get_window_extent()
            assert edges.x0 <= box.x0 and box.x1 <= edges.x1, text.get_text()
            assert edges.y0 <= box.y0 and box.y1 <= edges.y1, text.get_text()


def test_the_squared_error_of_a_drawing_is_that_of_its_pictures():
    texts = figures.hourglass(DIGIT, torch.randn(30), DIGIT / 2).axes[0].texts
    error = (DIGIT / 2).square().sum().item()
    assert any(f"squared error {error:.1f}" in text.get_text() for text in texts)


@pytest.mark.parametrize("words", [{"a": "0", "b": "10"}, {"a": "0", "b": "0"}])
def test_words_must_fill_the_bar(words):
    with pytest.raises(ValueError, match=r"fill the bar|begins another"):
        figures.code_words(words)


def test_a_price_is_the_logarithm_of_its_area():
    (axes,) = figures.price_as_area(0.3, 1.2, 2).axes
    area = 1 / (1 + np.exp(-2.2 / 1.2)) - 1 / (1 + np.exp(-1.2 / 1.2))
    assert f"area {area:.3f}" in axes.texts[0].get_text()
    assert f"{-np.log2(area):.1f} bits" in axes.texts[0].get_text()


def test_halvings_end_inside_the_piece():
    texts = figures.halvings(0.59049, 0.649539).axes[0].texts
    said = [text.get_text() for text in texts]
    assert "10011: 0.59375 to 0.625" in said and "100111" not in "".join(said)
    with pytest.raises(ValueError, match="is empty"):
        figures.halvings(0.5, 0.5)


def test_narrowing_multiplies():
    texts = figures.narrowing("aab", {"a": 0.7, "b": 0.3}).axes[0].texts
    assert "aab: 0.147" in {text.get_text() for text in texts}


def test_waves_come_back_without_rounding_errors():
    block = np.arange(64).reshape(8, 8) * 4
    pictures = figures.block_of_waves(block, step=1e-6).axes
    back = pictures[3].images[0].get_array()
    np.testing.assert_allclose(back, block, atol=1e-4)


def test_names_of_curves_do_not_collide():
    lines = {
        name: ([1, 2], [9, height])
        for name, height in zip("abc", (5, 5.1, 4.9), strict=True)
    }
    (axes,) = figures.curves(lines, xlabel="x", ylabel="y", level=("d", 5)).axes
    heights = sorted(text.xy[1] for text in axes.texts)
    assert len(heights) == 4 and np.diff(heights).min() > 0.5


def test_a_figure_holds_at_most_four_curves():
    with pytest.raises(ValueError, match="1 to 4 curves"):
        figures.curves({c: ([1], [1]) for c in "abcde"}, xlabel="x", ylabel="y")


def test_thumbnails_of_a_map_do_not_overlap():
    codes, labels = torch.randn(300, 2), torch.arange(300) % 10
    drawing = figures.latent_map(codes, labels, DIGIT.expand(300, 1, 28, 28))
    figures.to_png(drawing)
    (axes,) = drawing.axes
    boxes = [child for child in axes.get_children() if hasattr(child, "offsetbox")]
    spots = np.array([axes.transData.transform(box.xy) for box in boxes])
    gaps = np.abs(spots[:, None] - spots).max(-1) + 1e9 * np.eye(len(spots))
    assert len(spots) > 20 and gaps.min() > 0.3 * drawing.dpi


@pytest.mark.parametrize(
    ("codes", "labels", "says"),
    [
        (torch.zeros(3, 3), torch.zeros(3), "codes .n, 2."),
        (torch.zeros(3, 2), torch.zeros(2), "a label and a picture"),
    ],
)
def test_a_map_says_what_is_missing(codes, labels, says):
    with pytest.raises(ValueError, match=says):
        figures.latent_map(codes, labels, DIGIT.expand(3, 1, 28, 28))


def test_a_bill_adds_up_its_areas():
    books = {"own": [1, 2, 3, 3], "other": [3, 3, 1, 2]}
    own, other = figures.bill([0.5, 0.25, 0.125, 0.125], books, list("abcd")).axes
    assert own.get_title(loc="left") == "own:\n1.75 bits an order"
    assert other.get_title(loc="left") == "other:\n2.625 bits an order"


@pytest.mark.parametrize("shares", [[0.5, 0.4], [0.2] * 5])
def test_a_bill_needs_shares(shares):
    lengths = [1] * len(shares)
    with pytest.raises(ValueError, match="at most 4 things whose shares add up to 1"):
        figures.bill(shares, {"own": lengths}, lengths)


def test_an_endless_bar_is_called_endless():
    panels = {"no mistakes": {"there": [INFINITE], "back": [2.0]}}
    (axes,) = figures.pairs_of_bars(panels, ["legs"]).axes
    assert [text.get_text() for text in axes.texts] == ["endless →", "2.0"]


def test_penalties_show_both_sums():
    other = BELL.roll(2)
    texts = figures.penalties(GRID, BELL, {"fit": other}).axes
    there = (BELL * (BELL / other).log()).sum()
    back = (other * (other / BELL).log()).sum()
    shown = [axes.texts[0].get_text() for axes in texts[1:]]
    assert shown == [f"{there:.2f} nats", f"{back:.2f} nats"]


def test_the_bill_of_07_by_hand():
    bell, chances = torch.tensor([1.0, -0.5]), torch.tensor([0.9, 0.8, 0.1, 0.6])
    pixels = torch.tensor([1.0, 1.0, 0.0, 0.0])
    drawing = figures.bill_by_hand(bell, torch.tensor([0.2, 1.0]), pixels, chances)
    assert [axes.get_xlabel() for axes in drawing.axes[:2]] == [
        "1.63 nats",
        "0.125 nats",
    ]
    costs = [text.get_text() for text in drawing.axes[2].texts]
    assert costs[1::2][:4] == ["0.11", "0.22", "0.11", "0.92"]
    assert costs[-1] == "together 1.35 nats"


def test_the_prices_of_the_machine_of_07():
    drawing = figures.imagining_machine(
        torch.ones(1, 28, 28),
        torch.tensor([1.0, -0.5]),
        torch.tensor([0.2, 1.0]),
        torch.zeros(2),
        torch.full((1, 28, 28), 0.5),
    )
    texts = [text.get_text() for text in drawing.axes[0].texts]
    assert any(f"distortion {784 * np.log(2):.1f} nats" in text for text in texts)
    assert any("rate 1.8 nats" in text for text in texts)


def test_names_of_classes_stand_apart():
    labels = torch.arange(50) % 10
    panels = {"one": (POINTS, None)}
    (axes, *_) = figures.clouds_in_plane(panels, labels, edge=3.0, columns=1).axes
    spots = np.array([text.get_position() for text in axes.texts])
    gaps = np.hypot(*(spots[:, None] - spots).transpose(2, 0, 1))
    assert len(spots) > 3 and (gaps + 9 * np.eye(len(spots))).min() > 0.2 * 3.0


def test_clouds_need_a_plane():
    with pytest.raises(ValueError, match=r"means must be .4, 2."):
        figures.clouds_in_plane({"a": (torch.zeros(4, 3), None)}, torch.arange(4))


def test_a_sheet_goes_up_and_to_the_right():
    asked = []

    def draw(codes):
        asked.append(codes)
        return torch.zeros(len(codes), 1, 28, 28)

    figures.sheet_of_plane(draw, side=3)
    (codes,) = asked
    assert codes[0, 0] < codes[1, 0] and codes[0, 1] > codes[3, 1]
    assert codes[4].abs().max() < 1e-6  # the middle
    share = torch.distributions.Normal(0, 1).cdf(codes[2, 0])
    assert share.item() == pytest.approx(5 / 6)


def test_latent_rates_of_five_betas():
    with pytest.raises(ValueError, match="at most 4 curves"):
        figures.latent_rates({beta: [1.0] for beta in range(5)})


@pytest.mark.parametrize(
    ("sizes", "after"), [({"a": 7, "b": 3}, 1158), ({"a": 3, "b": 3}, 1155)]
)
def test_digits_must_follow_from_the_pile(sizes, after):
    with pytest.raises(ValueError, match="ten digits"):
        figures.digits_of_symbols(sizes, 347, "b", after)


def test_an_arrow_is_as_thick_as_its_gradient():
    drawing = figures.layer_chain(DIGIT, {"a": [1e-6, 0.5, 2.0, 1.0]})
    shafts = [
        np.ptp(patch.get_path().vertices[[0, 6], 1])
        for patch in drawing.axes[0].patches
        if type(patch).__name__ == "Polygon"
    ]
    np.testing.assert_allclose(np.divide(shafts, shafts[-1]), [0.5, 2.0, 1.0])


def test_the_table_of_depths_leaves_open_what_was_not_tried():
    (axes,) = figures.depth_table({("a", 3): 0.1, ("b", 100): 0.966}).axes
    assert sorted(text.get_text() for text in axes.texts) == ["10", "97"]


def test_each_picture_needs_a_name():
    with pytest.raises(ValueError, match="2 names for 50 pictures"):
        figures.numbers_of_pictures({"one": POINTS}, "ab")
