import numpy as np
import pytest

from calfbayes import ModelFileError
from calfbayes.diagnosis.encoding import encode
from calfbayes.inference.draws import draw_models
from calfbayes.inference.elicited import Kind, elicited_numbers
from calfbayes.inference.exact import answer
from calfbayes.inference.reduction import Query
from calfbayes.inference.sensitivity import deviation_of_log_odds, sensitivities
from calfbayes.inference.solved import nothing_known
from support.models import model_of, random_model, shipped
from support.random_models import number
from support.small_models import small_content

SETTING = "primary_care"


def test_every_draw_is_coherent() -> None:
    """With nothing known but the setting the posteriors are the shares of the drawn weights, the coincidence kept."""
    model = random_model(3, n_causes=5)
    network = model._solved.network
    draws = draw_models(model._solved, "here", 20, np.random.default_rng(0))
    answers = answer(network, draws.numbers, Query.of(nothing_known(network)))
    posteriors = answers.hidden[:, : network.n_causes]
    assert posteriors.sum(axis=1) == pytest.approx(np.full(20, 1.6), abs=1e-9)
    assert answers.log_joint == pytest.approx(draws.log_complaint, abs=1e-9)
    assert (posteriors.std(axis=0) > 0.01).all()


def test_one_seed_gives_the_same_draws_and_another_gives_others() -> None:
    solved = shipped("tutorial")._solved
    first, again, other = (draw_models(solved, SETTING, 3, np.random.default_rng(seed)).numbers.in_a_row for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_drawn_numbers_have_the_mean_and_the_doubt_that_was_elicited() -> None:
    solved = shipped("tutorial")._solved
    rest = solved.network.numbers(solved.bases[SETTING].logits).in_a_row[0]
    n = 4000
    rows = draw_models(solved, SETTING, n, np.random.default_rng(5)).numbers.in_a_row
    for entry in elicited_numbers(solved, SETTING).numbers:
        if entry.kind == Kind.ODDS_RATIO:
            of, mean, deviation = rows[:, entry.position], np.log(entry.value), entry.deviation
        elif entry.kind in (Kind.LINK, Kind.LEAK):
            of = rows[:, entry.position] if entry.kind == Kind.LINK else 1 / (1 + np.exp(-rows[:, entry.position]))
            mean, deviation = entry.value, entry.deviation * entry.value * (1 - entry.value)
        else:
            continue
        assert of.mean() == pytest.approx(mean, abs=4.5 * deviation / np.sqrt(n) + 1e-12), entry.place
        assert of.std() == pytest.approx(deviation, rel=0.15, abs=1e-12), entry.place
    complaint = [k for k, (_, child) in enumerate(solved.network.layout.arcs) if child == solved.network.complaint]
    links = slice(len(solved.network.nodes), len(solved.network.nodes) + len(solved.network.layout.arcs))
    assert (rows[:, links][:, complaint] == rest[links][complaint]).all()


def test_priors_still_sum_to_1() -> None:
    model = random_model(2, n_causes=3, extremes=True)
    network = model._solved.network
    numbers = draw_models(model._solved, "here", 10, np.random.default_rng(0)).numbers
    for risk, start in zip(network.risks, network.layout.priors, strict=True):
        table = numbers.priors[:, start : start + risk.prior.size].reshape(10, *risk.prior.shape)
        assert table.sum(axis=-1) == pytest.approx(np.ones(table.shape[:-1]), abs=1e-12)
        assert (table >= -1e-15).all()
        assert (table[:, risk.prior == 0.0] == 0.0).all()


def test_sampling_agrees_with_the_delta_method_where_doubt_is_small() -> None:
    model = shipped("tutorial")
    solved, network = model._solved, model._solved.network
    encoded = encode(network, model.evidence({"age": 67, "pain_on_walking": True, "redness": False}))
    causes = list(network.causes)
    draws = draw_models(solved, SETTING, 2000, np.random.default_rng(11))
    p = answer(network, draws.numbers, Query.of(encoded)).hidden[:, causes]
    sampled = (np.log(p) - np.log1p(-p)).std(axis=0)
    elicited = elicited_numbers(solved, SETTING)
    found = sensitivities(solved, SETTING, encoded, causes)
    delta = [deviation_of_log_odds(elicited, float(x), of) for x, of in zip(found.hidden, found.of_hidden, strict=True)]
    assert sampled == pytest.approx(delta, rel=0.12)


def test_draws_that_no_bases_solve_are_drawn_again_and_counted() -> None:
    causes = {"parent": (0.5, {"child": 0.59}), "child": (0.3, {}), "other": (0.7, {})}
    model = model_of(small_content(causes, {}, coincidence=0.5))
    draws = draw_models(model._solved, "here", 50, np.random.default_rng(0))
    assert draws.redrawn > 10
    assert len(draws.numbers.logits) == 50
    assert np.isfinite(draws.numbers.logits[:, :3]).all()


def test_a_model_whose_draws_hardly_ever_hold_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calfbayes.inference.draws.ROUNDS", 1)
    causes = {"parent": (0.5, {"child": 0.59}), "child": (0.3, {}), "other": (0.7, {})}
    model = model_of(small_content(causes, {}, coincidence=0.5))
    with pytest.raises(ModelFileError, match="of 50 models drawn within the doubt of their numbers"):
        draw_models(model._solved, "here", 50, np.random.default_rng(0))


def test_what_is_certain_stays() -> None:
    content = small_content({"a": (1, {"sign": 1.0}), "b": (2, {"sign": 0.0})}, {"sign": 0.0})
    content["causes"]["a"]["links"]["sign"] = {**number(0.0), "link": 1.0}
    del content["causes"]["a"]["links"]["sign"]["value"]
    solved = model_of(content)._solved
    numbers = draw_models(solved, "here", 5, np.random.default_rng(0)).numbers
    rest = solved.network.numbers(solved.bases["here"].logits)
    assert (numbers.links == rest.links).all()
    assert (numbers.logits[:, 2:] == rest.logits[:, 2:]).all()


def test_no_draws_are_none() -> None:
    solved = shipped("tutorial")._solved
    draws = draw_models(solved, SETTING, 0, np.random.default_rng(0))
    assert draws.log_complaint.shape == (0,)
    assert len(draws.numbers.links) == 0
