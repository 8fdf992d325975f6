"""Whoever chose ranges calls this: each notebook, broken on purpose, fails a claim
or the check of an exercise.

    MUTATIONS=1 pytest tests/test_mutations.py -k 05

Each row takes as long as its notebook, at the effort of this machine or of the variable
HELPERS_EFFORT. Without MUTATIONS=1 only the texts of the rows are looked up.
"""

import os
import re
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from run_notebooks import ROOT, execute

# Notebook, a text that stands once in its code, its replacement, and claims or checks
# of which at least one must fail.
MUTATIONS = [
    (
        "01_plain_autoencoder.ipynb",  # the mean over pixels in place of their sum
        "squares.flatten(1).sum(dim=1)",
        "squares.flatten(1).mean(dim=1)",
        {"mean_image_sse", "pca30_test_sse"},
    ),
    (
        "01_plain_autoencoder.ipynb",  # each image with another one as its target
        "return squared_error(restored, images)",
        "return squared_error(restored, images.flip(0))",
        {"linear_ae_to_pca_ratio", "curve_to_line_ratio"},
    ),
    (
        "01_plain_autoencoder.ipynb",  # codes of real images in place of random ones
        "random_codes = fit_bell(train_codes).sample((2000,))",
        "random_codes = train_codes[:2000]",
        {"random_code_digit_share"},
    ),
    (
        "02_compression_limits.ipynb",  # always rounded down
        "return (code / step).round()",
        "return (code / step).floor()",
        {"learned_mse", "jpeg_to_plain_bytes"},
    ),
    (
        "02_compression_limits.ipynb",  # the sum of a batch in place of its mean
        "return bits.mean() + exchange * squared_error(restored, images)",
        "return bits.sum() + exchange * squared_error(restored, images)",
        {"learned_bytes", "learned_mse"},
    ),
    (
        "02_compression_limits.ipynb",  # no noise in place of rounding
        "+ torch.rand_like(code) - 0.5",
        "",
        {"learned_bytes_008", "loss_saves"},
    ),
    (
        "03_training_deep_networks.ipynb",  # each code restored as another one
        "train(autoencoder, codes, codes, squared_error",
        "train(autoencoder, codes, codes.flip(0), squared_error",
        {"pretraining_rescue_accuracy"},
    ),
    (
        "03_training_deep_networks.ipynb",  # first weights of the usual size
        "xavier_normal_(weight, gain=4)",
        "xavier_normal_(weight, gain=1)",
        {"xavier4_sigmoid3_accuracy"},
    ),
    (
        "03_training_deep_networks.ipynb",  # no way around
        "[Residual(WIDTH) for _",
        "[Residual(WIDTH).change for _",
        {"residual100_accuracy"},
    ),
    (
        "04_latent_variables.ipynb",  # shares of a component in place of those of a row
        "return (log_chance + weights.log()).softmax(dim=1)",
        "return (log_chance + weights.log()).softmax(dim=0)",
        {"em_smallest_step_table", "mixture_table_purity"},
    ),
    (
        "04_latent_variables.ipynb",  # the chance of a no is left out
        "return x @ coins.log().T + (1 - x) @ (1 - coins).log().T",
        "return x @ coins.log().T",
        {"found_groups_over_ours", "independent_pixels_nll"},
    ),
    (
        "04_latent_variables.ipynb",  # cards in place of what their coins draw
        "return z, torch.bernoulli(components[z].clamp(max=1), generator=generator)",
        "return z, components[z].round()",
        {"fraying_drawn_to_real"},
    ),
    (
        "05_kl_divergence.ipynb",  # weighed with what the book expects
        "extra = p * log(p / q)",
        "extra = q * log(p / q)",
        {"lunch_extra_bits", "wrong_codebook_to_kl", "people_dogs_asymmetry"},
    ),
    (
        "05_kl_divergence.ipynb",  # the two directions of a fit exchanged
        'if direction == "forward"',
        'if direction == "reverse"',
        {"forward_matches_moments", "reverse_kl_to_log_share"},
    ),
    (
        "05_kl_divergence.ipynb",  # each image with the label of another
        "cross_entropy(scores.log_softmax(dim=1), labels)",
        "cross_entropy(scores.log_softmax(dim=1), labels.roll(1))",
        {"softmax_accuracy"},
    ),
    (
        "08_vae_versus_gan.ipynb",  # a forger that helps the detective
        "return cost(detective(forged), 1.0)",
        "return cost(detective(forged), 0.0)",
        {"line_mean_error", "line_loss", "ring_modes_found"},
    ),
    (
        "08_vae_versus_gan.ipynb",  # the detective's answers are swapped
        "cost(detective(real), 1.0) + cost(detective(forged.detach()), 0.0)",
        "cost(detective(real), 0.0) + cost(detective(forged.detach()), 1.0)",
        {"line_mean_error", "ring_modes_found"},
    ),
    (
        "08_vae_versus_gan.ipynb",  # a VAE that draws from its middle only
        "predict(vae.decoder, z)",
        "predict(vae.decoder, 0.1 * z)",
        {"plain_vae_classes", "plain_frechet_ratio"},
    ),
    (
        "further/08_who_draws_better.ipynb",  # the two losses of the forger exchanged
        'if loss == "ours"',
        'if loss != "ours"',
        {"zero_sum_covers", "our_loss_chooses"},
    ),
    (
        "further/05_which_digits_are_like_two_people.ipynb",  # sigma for its square
        "squares = p_sd**2 + ",
        "squares = p_sd + ",
        {"kl_bells_error", "kl_monte_carlo_error"},
    ),
    (
        "further/05_which_digits_are_like_two_people.ipynb",  # draws of another digit
        "log_ratios(mixtures, a, x).mean(0) for a, x in enumerate(drawn)",
        "log_ratios(mixtures, a, x).mean(0) for a, x in enumerate(drawn[::-1])",
        {"kl_0_1_to_4_9", "recipes_near_pair", "recipes_far_pair"},
    ),
    (
        "further/03_what_else_lets_it_train.ipynb",  # the half is added, not taken away
        "layer.bias.copy_(-layer.weight",
        "layer.bias.copy_(layer.weight",
        {"centred_sigmoid10_accuracy"},
    ),
    (
        "further/03_what_else_lets_it_train.ipynb",  # shares that are not squared
        "return (1 / shares.square().sum()).item()",
        "return (1 / shares.sum()).item()",
        {"orthogonal100_directions"},
    ),
    (
        "further/03_what_else_lets_it_train.ipynb",  # no way around
        "return h + self.factor * self.change(h)",
        "return self.factor * self.change(h)",
        {"residual_gradient_ratio", "bare_road30_accuracy", "residual300_accuracy"},
    ),
    (
        "06_variational_inference.ipynb",  # accept upside down
        "return u < (log_new - log_old).exp()",
        "return u < (log_old - log_new).exp()",
        {"walk_mean_to_exact"},
    ),
    (
        "06_variational_inference.ipynb",  # the entropy forgotten
        "return (log_joint(z) - log_q).mean(0)",
        "return log_joint(z).mean(0)",
        {"elbo_gap_to_kl", "best_bell_kl"},
    ),
    (
        "06_variational_inference.ipynb",  # the neighbour is not asked
        "if u < people[neighbour] / people[town]:",
        "if u < 1:",
        {"towns_total_variation"},
    ),
    (
        "further/06_which_is_faster_a_walk_or_a_fit.ipynb",  # the entropy forgotten
        "elbo = log_joint(z).mean(0) + log_sd.sum(1)",
        "elbo = log_joint(z).mean(0)",
        {"fit_floor", "mixture_gain"},
    ),
    (
        "further/06_which_is_faster_a_walk_or_a_fit.ipynb",  # half a push is missing
        "speed = speed + 0.5 * size * push\n        way.append(z)",
        "way.append(z)",
        {"hmc_accepted_100"},
    ),
    (
        "07_variational_autoencoder.ipynb",  # the variance in place of the spread
        "    spread = torch.exp(log_variance / 2)\n    return mean",
        "    spread = torch.exp(log_variance)\n    return mean",
        {"check_1", "cloud_without_price", "working_latents"},
    ),
    (
        "07_variational_autoencoder.ipynb",  # the rate is a mean over latents
        "return each.sum(dim=1)",
        "return each.mean(dim=1)",
        {"closed_form_kl_error"},
    ),
    (
        "07_variational_autoencoder.ipynb",  # every cloud is the standard one
        "return draw(mean, log_variance), mean, log_variance",
        "return draw(0 * mean, 0 * log_variance), mean, log_variance",
        {"half_way_gain", "working_latents", "vae_random_code_digit_share"},
    ),
    (
        "09_bits_back_compression.ipynb",  # always the first slot of a symbol
        "slots(table) + own[pile % len(own)]",
        "slots(table) + own.start",
        {"twenty_returned"},
    ),
    (
        "09_bits_back_compression.ipynb",  # the prior chooses in place of the posterior
        "    z, pile = pop_row(pile, model.posterior(x))  # the pile chooses z",
        "    z, pile = pop_row(pile, model.prior())",
        {"twenty_returned", "cards_bits"},
    ),
    (
        "09_bits_back_compression.ipynb",  # the rate is a mean over latents
        "return costs.sum(dim=1) + rate.sum(dim=1)",
        "return costs.sum(dim=1) + rate.mean(dim=1)",
        {"binary_bpp", "binary_bpp_to_elbo", "bits_back_saves"},
    ),
    (
        "further/01_what_a_code_is_good_for.ipynb",  # the share of the noise is kept
        "share = variances / (variances + noise**2)",
        "share = noise**2 / (variances + noise**2)",
        {"tuning_gain_pca_db", "denoising_gain_pca_db"},
    ),
    (
        "further/01_what_a_code_is_good_for.ipynb",  # every group is all codes
        "draws = [normal(codes[group == g])",
        "draws = [normal(codes)",
        {"mixture_code_digit_share"},
    ),
    (
        "further/02_how_far_can_a_codec_go.ipynb",  # no noise in place of rounding
        "noisy = noisy + torch.rand_like(noisy) - 0.5",
        "noisy = 1 * noisy",
        {"own_bytes", "own_mse", "jpeg_to_learned_bits"},
    ),
    (
        "further/02_how_far_can_a_codec_go.ipynb",  # the receiver counts from zero
        'decode_symbols(payload, sent["counts"], count, lowest=-reach)',
        'decode_symbols(payload, sent["counts"], count, lowest=0)',
        {"decoded_in_fresh_process"},
    ),
    (
        "further/04_how_few_questions_are_enough.ipynb",  # answers taken for certain
        "return two_way(belief @ table) - belief @ two_way(table)",
        "return two_way(belief @ table)",
        {"information_identity_error"},
    ),
    (
        "further/04_how_few_questions_are_enough.ipynb",  # the two largest are joined
        "heap = [(p, random.random(), [name])",
        "heap = [(-p, random.random(), [name])",
        {"wasted_to_formula"},
    ),
    (
        "further/04_how_few_questions_are_enough.ipynb",  # no cost for missing ink
        "batch.float() @ log_odds.T + no_ink - math.log",
        "batch.float() @ log_odds.T - math.log",
        {"map_test_nll"},
    ),
    (
        "further/07_how_honest_is_the_bill.ipynb",  # the rate is a mean over latents
        "beta * rate(mean, log_variance).sum(1)",
        "beta * rate(mean, log_variance).mean(1)",
        {"vae_neg_elbo", "exact_gap_nats", "collapsed_rate"},
    ),
    (
        "further/07_how_honest_is_the_bill.ipynb",  # the sum of weights, not their mean
        "(groups.logsumexp(1) - math.log(k)).mean(0)",
        "groups.logsumexp(1).mean(0)",
        {"k1000_gap_nats", "vae_iw_nll"},
    ),
    (
        "further/09_how_good_is_the_file.ipynb",  # chances that add up to more than 1
        "chance = second + share.sigmoid() * (first - second)",
        "chance = second + share.sigmoid() * first",
        {"grey_bpp", "grey_vae_to_table"},
    ),
    (
        "further/09_how_good_is_the_file.ipynb",  # numbers that are not rounded
        '"float64, rounded to 1/64": {},',
        '"float64, rounded to 1/64": dict(fine=None),',
        {"numbers_that_cross"},
    ),
]
each_mutation = pytest.mark.parametrize(
    ("name", "text", "replacement", "ids"),
    MUTATIONS,
    ids=[f"{Path(name).stem}: {replacement}" for name, _, replacement, _ in MUTATIONS],
)


def mutated(name: str, text: str, replacement: str) -> NotebookNode:
    """A notebook of the folder `notebooks` with one place of its code changed."""
    notebook = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert sum(cell.source.count(text) for cell in code) == 1
    for cell in code:
        cell.source = cell.source.replace(text, replacement)
    return notebook


@each_mutation
def test_the_text_and_the_claims_are_there(name, text, replacement, ids):
    code = "\n".join(cell.source for cell in mutated(name, text, replacement).cells)
    assert replacement in code
    for id in ids:
        assert f'claim("{id}", ' in code or f"\nassert {id}()" in code


def caught(notebook: NotebookNode, errors: dict[int, str]) -> set[str]:
    """The claims and the checks of exercises that failed, from the errors of a run."""
    code = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    found = set()
    for number, error in errors.items():
        if error.startswith("ClaimError"):
            found |= set(re.findall(r"\(claim (\w+), ", error))
        elif error.startswith("AssertionError"):
            found |= set(re.findall(r"\nassert (check_\w+)\(\)$", code[number - 1]))
    return found


def test_what_a_run_caught():
    sources = ["claim(...)", "def f(x):\n    return x\n\n\nassert check_2()", "1 / 0"]
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    errors = {1: "ClaimError: so wide (claim a_b, seed 0, full effort)."}
    errors |= {2: "AssertionError: ", 3: "ZeroDivisionError: division by zero"}
    assert caught(nbformat.v4.new_notebook(cells=cells), errors) == {"a_b", "check_2"}


@pytest.mark.skipif(os.environ.get("MUTATIONS") != "1", reason="MUTATIONS=1 runs it")
@each_mutation
def test_a_claim_fails(name, text, replacement, ids, tmp_path):
    notebook = mutated(name, text, replacement)
    run, _ = execute(notebook, tmp_path, keep_going=True)
    print("\n".join(run.errors.values()))
    assert caught(notebook, run.errors) & ids
