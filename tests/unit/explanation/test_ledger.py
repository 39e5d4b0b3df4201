"""The ledger adds up, has no favourite order, and says where each number comes from."""

from itertools import permutations
from math import inf, isinf, log10
from typing import Any

import numpy as np
import pytest

from calfbayes import ArgumentError, Diagnosis, Likelihood, Model, QueryTooCostlyError, UnknownNameError
from calfbayes.explanation import weighing
from calfbayes.explanation.ledger import Certainty
from calfbayes.explanation.routes import moves, reaches, routes
from calfbayes.explanation.shapley import every_order, share_of, shares, some_orders
from calfbayes.inference import exact
from support.models import model_of, random_model, shipped
from support.random_models import link, number
from support.small_models import factor, small_content

PATIENT = {"age": 67, "smoking": True, "pain_on_walking": True, "cold_feet": Likelihood(3), "redness": False}
SEEDS = range(12)


def decibans(p: float) -> float:
    return 10 * log10(p / (1 - p))


def by_all_orders(model: Model, given: dict[str, object], cause: str) -> dict[str, float]:
    """The mean over all orders, each answer learnt by a diagnosis of its own."""
    known: dict[frozenset[str], float] = {}

    def odds(names: frozenset[str]) -> float:
        if names not in known:
            known[names] = decibans(model.diagnose({name: given[name] for name in names})[cause].probability)
        return known[names]

    orders = list(permutations(given))
    total = dict.fromkeys(given, 0.0)
    for order in orders:
        for k, name in enumerate(order):
            total[name] += odds(frozenset(order[: k + 1])) - odds(frozenset(order[:k]))
    return {name: sum_ / len(orders) for name, sum_ in total.items()}


def some_patient(model: Model, n: int) -> dict[str, object]:
    rows = model.simulate(1, seed=n).iloc[0]
    names = [f.id for f in model.findings if f.id != model.knowledge.complaint][:5]
    risks = {f.id: rows[f.id] for f in model.risk_factors[:2]}
    return {**{name: bool(rows[name]) for name in names}, **risks}


@pytest.mark.parametrize("cause", ["peripheral_artery_disease", "deep_vein_thrombosis", "overuse"])
def test_weights_are_the_mean_over_all_orders(cause: str) -> None:
    model = shipped("tutorial")
    ledger = model.diagnose(PATIENT).explain(cause)
    expected = by_all_orders(model, PATIENT, cause)
    assert ledger.n_orders == 0
    assert {weight.id: weight.decibans for weight in ledger.weights} == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("seed", SEEDS)
def test_weights_add_up_from_the_share_to_the_posterior(seed: int) -> None:
    model = random_model(seed)
    result = model.diagnose(some_patient(model, seed))
    for entry in (*result.causes, *result.complications):
        ledger = result.explain(entry.id)
        if ledger.certainty == Certainty.OPEN:
            assert ledger.share_decibans == pytest.approx(decibans(entry.share), abs=1e-9)
            assert ledger.posterior_decibans == pytest.approx(decibans(entry.probability), abs=1e-9)


def test_sampled_orders_add_up_too_and_err_as_little_as_they_say(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twelve answers in some orders, whose errors are those of the mean over all of them, which is known here."""
    model = shipped("tutorial")
    twelve = {
        **{f.id: k % 2 == 0 for k, f in enumerate(model.findings[1:11])},
        "age": 70,
        "smoking": True,
    }
    result = model.diagnose(twelve)
    truth = result.explain("deep_vein_thrombosis")
    assert truth.n_orders == 0
    monkeypatch.setattr(weighing, "MOST_FOR_EXACT", 11)
    ledger = result.explain("deep_vein_thrombosis", cost_limit=9e8)
    assert ledger.n_orders == 200
    assert ledger.posterior_decibans == pytest.approx(decibans(result["deep_vein_thrombosis"].probability), abs=1e-9)
    monkeypatch.setattr(weighing, "OVERHEAD", 0.0)  # else a plan of its own is dearer than this limit
    fewer = result.explain("deep_vein_thrombosis", cost_limit=4e4)
    assert 16 <= fewer.n_orders < 200
    assert fewer.posterior_decibans == pytest.approx(ledger.posterior_decibans, abs=1e-9)
    for weight in (*fewer.weights, *ledger.weights):  # over 200 seeds one in five hundred was off by 4 errors, none by 5
        assert abs(weight.decibans - truth[weight.id].decibans) <= 5 * weight.error + 1e-9
    assert 0.0 < max(weight.error for weight in ledger.weights) < 0.5


@pytest.mark.parametrize("n_orders", [16, 200])
def test_two_errors_hold_the_truth_however_few_the_orders(n_orders: int) -> None:
    """Over 100 seeds; they hold 0.93 and 0.95 of the weights; of 8 orders, errors without Student would hold 0.84."""
    ten = {**{f.id: k % 2 == 0 for k, f in enumerate(shipped("tutorial").findings[1:9])}, "age": 70, "smoking": True}
    result = shipped("tutorial").diagnose(ten)
    table = weighing.weigh(result._solved, result.setting, result.evidence, inf)
    values = table.log_odds(result._solved.network.node_index["deep_vein_thrombosis"])
    truth, none = shares(table.design, values)
    assert not none.any()
    inside = []
    for seed in range(100):
        design = some_orders(10, n_orders, seed)
        found, errors = shares(design, values[design.sets @ (1 << np.arange(10))])
        inside.append(np.abs(found - truth) <= 2 * errors + 1e-12)
    assert np.mean(inside) >= 0.91


def test_sets_parted_by_keys_are_answered_as_in_one_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    result = shipped("tutorial").diagnose(PATIENT)
    weigh = weighing.weigh.__wrapped__
    together = weigh(result._solved, result.setting, result.evidence, inf)
    plans: list[object] = []

    def answered(*given: Any, **options: Any) -> exact.Answers:
        plans.append(given)
        return exact.answer(*given, **options)

    monkeypatch.setattr(weighing, "CHEAP", 0.0)
    monkeypatch.setattr(weighing, "OVERHEAD", 0.0)
    monkeypatch.setattr(weighing, "answer", answered)
    parted = weigh(result._solved, result.setting, result.evidence, inf)
    assert 2 < len(plans) <= 2 ** len(PATIENT)
    assert parted.hidden == pytest.approx(together.hidden, rel=1e-12)


def test_a_limit_too_low_for_a_few_orders_is_an_error() -> None:
    result = shipped("tutorial").diagnose(PATIENT)
    with pytest.raises(QueryTooCostlyError):
        result.explain("overuse", cost_limit=10)


def test_a_finding_of_one_cause_weighs_what_it_must() -> None:
    """Two causes that cannot be confused: w + leak - w leak against the leak, by hand."""
    content = small_content({"a": (1.0, {"f": 0.75}), "b": (1.0, {})}, {"f": 0.25})
    result = model_of(content).diagnose({"f": True})
    assert result.explain("a")["f"].decibans == pytest.approx(10 * log10((1 - 0.25 * 0.75) / 0.25), abs=1e-9)


def test_what_is_implied_has_no_weight_of_its_own() -> None:
    content = small_content({"a": (1.0, {"f": 0.75, "g": 0.5}), "b": (1.0, {})}, {"f": 0.25, "g": 0.125})
    content["findings"]["g"]["implies"] = ["f"]
    model = model_of(content)
    ledger = model.diagnose({"f": True, "g": True}).explain("a")
    assert (ledger["f"].decibans, ledger["f"].settled_by) == (0.0, ("g",))
    assert ledger["g"].decibans == pytest.approx(model.diagnose({"g": True}).explain("a")["g"].decibans, abs=1e-12)


def test_what_is_ruled_out_names_what_decided_and_accounts_for_the_rest() -> None:
    content = small_content({"a": (1.0, {"f": 1.0, "g": 0.5}), "b": (1.0, {"g": 0.25})}, {"f": 0.25, "g": 0.25})
    model = model_of(content)
    ledger = model.diagnose({"f": False, "g": True}).explain("a")
    assert (ledger.certainty, ledger.decided_by) == (Certainty.RULED_OUT, ("f",))
    assert (ledger["f"].decibans, ledger.posterior_decibans) == (-inf, -inf)
    assert ledger["g"].decibans == pytest.approx(model.diagnose({"g": True}).explain("a")["g"].decibans, abs=1e-12)
    other = model.diagnose({"f": False, "g": True}).explain("b")
    assert (other.certainty, other.decided_by, other.probability) == (Certainty.CERTAIN, ("f",), 1.0)
    assert ledger.to_dict()["weights"][0]["decibans"] == "-inf"


def test_two_answers_that_each_rule_out_have_both_decided() -> None:
    content = small_content({"a": (1.0, {"f": 1.0, "g": 1.0}), "b": (1.0, {})}, {"f": 0.25, "g": 0.25})
    ledger = model_of(content).diagnose({"f": False, "g": False}).explain("a")
    assert set(ledger.decided_by) == {"f", "g"}


def test_a_cause_that_the_setting_excludes_is_decided_by_nothing() -> None:
    content = small_content({"a": (0.0, {"f": 0.5}), "b": (1.0, {"f": 0.25}), "c": (1.0, {})}, {"f": 0.25})
    ledger = model_of(content).diagnose({"f": True}).explain("a")
    assert (ledger.certainty, ledger.decided_by) == (Certainty.OUTSIDE_SETTING, ())
    assert isinf(ledger.posterior_decibans)


def test_a_probability_that_rounds_to_1_is_not_taken_for_certain() -> None:
    names = [f"f{k}" for k in range(10)]
    content = small_content(
        {"a": (1.0, dict.fromkeys(names, 1 - 2**-10)), "b": (1.0, {})}, dict.fromkeys(names, 2**-10), coincidence=0.2
    )
    ledger = model_of(content).diagnose(dict.fromkeys(names, True)).explain("a")
    each = 10 * log10((1 - (1 - 2**-10) * 2**-10) / 2**-10)
    assert ledger.probability == 1.0
    assert ledger.certainty == Certainty.OPEN
    assert [weight.decibans for weight in ledger.weights] == pytest.approx([each] * 10, abs=1e-9)


def test_what_is_not_asked_is_told_as_a_diagnosis_would_tell_it() -> None:
    model = shipped("tutorial")
    unasked = model.diagnose(PATIENT).explain("deep_vein_thrombosis").unasked
    assert unasked
    assert [entry.expected_change for entry in unasked] == sorted((e.expected_change for e in unasked), reverse=True)
    for entry in unasked:
        for answer in entry.answers:
            value = {"present": True, "absent": False}.get(answer.state, answer.state)
            asked = model.diagnose({**PATIENT, entry.id: value})
            assert answer.probability == pytest.approx(asked["deep_vein_thrombosis"].probability, abs=1e-9)


def test_a_negative_test_that_says_nothing_in_this_patient_is_told_to_change_nothing() -> None:
    """As a diagnosis tells it; only the positive result counts for what is expected."""
    model, test, cause = shipped("calf"), "ankle_brachial_index_low", "peripheral_artery_disease"
    patient = {"age": 70, "sex": "female", "pain_on_walking": True, "diabetes": True}
    ledger = model.diagnose(patient).explain(cause)
    entry = next(entry for entry in ledger.unasked or () if entry.id == test)
    absent, present = entry.answers
    assert 0.0 < absent.chance < 1.0
    assert absent.probability == pytest.approx(model.diagnose({**patient, test: False})[cause].probability, abs=1e-12)
    assert absent.probability == pytest.approx(ledger.probability, abs=1e-12)
    assert entry.expected_change == pytest.approx(present.chance * (present.probability - ledger.probability), abs=1e-9)


def test_a_test_that_hardly_speaks_in_this_patient_gives_way_to_what_tells_more() -> None:
    """A positive D-dimer alone tells too little in pregnancy; that a negative one lowered the clot had put it second."""
    patient = {"age": 30, "sex": "female", "unilateral_calf_swelling": True}
    told = [
        {entry.id for entry in shipped("calf").diagnose(patient | more).explain("deep_vein_thrombosis").unasked or ()}
        for more in ({}, {"pregnancy": True})
    ]
    assert ["positive_d_dimer" in ids for ids in told] == [True, False]


def test_competitors_take_away_what_they_explain() -> None:
    content = small_content({"a": (1.0, {"f": 0.75}), "b": (1.0, {"f": 0.75})}, {"f": 0.0})
    result = model_of(content).diagnose({"f": True})
    (rival,) = result.explain("a").competitors
    assert rival.id == "b"
    assert rival.without_it == pytest.approx(1.0, abs=1e-12)
    assert rival.probability * rival.with_it + (1 - rival.probability) * rival.without_it == pytest.approx(
        result["a"].probability, abs=1e-12
    )


def test_routes_name_mechanisms_and_the_sources_of_every_number_on_them() -> None:
    model = shipped("tutorial")
    ledger = model.diagnose({"calf_girth_difference_3cm": True, "recent_surgery": True}).explain("deep_vein_thrombosis")
    (route,) = ledger["calf_girth_difference_3cm"].routes
    assert route.through == ("deep_vein_thrombosis", "local_swelling", "calf_girth_difference_3cm")
    assert route.mechanisms == ("local_swelling",)
    assert [number.place for number in route.numbers] == [
        "deep_vein_thrombosis.links.local_swelling",
        "local_swelling.links.calf_girth_difference_3cm",
        "calf_girth_difference_3cm.leak",
    ]
    by_surgery = ledger["recent_surgery"].routes[0]
    assert by_surgery.numbers[0].place == "deep_vein_thrombosis.odds.recent_surgery.present"
    known = {source.id for source in model.sources}
    assert set(route.sources) | set(by_surgery.sources) <= set(ledger.sources) <= known


def test_an_item_without_a_route_names_the_competitor_that_it_speaks_for() -> None:
    ledger = shipped("tutorial").diagnose({"radiating_pain_from_back": True}).explain("deep_vein_thrombosis")
    entry = ledger["radiating_pain_from_back"]
    assert (entry.routes, entry.competitor) == ((), "lumbosacral_radiculopathy")
    assert entry in ledger.opposing
    assert "speaks for" in " ".join(ledger.sentences)


def test_an_item_that_speaks_against_a_competitor_names_it() -> None:
    ledger = shipped("tutorial").diagnose({"radiating_pain_from_back": False}).explain("deep_vein_thrombosis")
    entry = ledger["radiating_pain_from_back"]
    assert (entry.routes, entry.competitor) == ((), "lumbosacral_radiculopathy")
    assert entry in ledger.supporting
    assert "speaks against" in repr(ledger)


@pytest.mark.parametrize("value", [True, False, Likelihood(8.0), Likelihood(0.125)])
def test_an_answer_that_moves_a_cause_against_its_own_route_names_the_rival(value: bool | Likelihood) -> None:
    """Both causes lead to the finding, one of them far more often: its absence speaks for the other one."""
    content = small_content({"a": (1.0, {"f": 0.0625}), "b": (1.0, {"f": 0.875})}, {"f": 0.03125})
    result = model_of(content).diagnose({"f": value})
    entry, rival = result.explain("a")["f"], result.explain("b")["f"]
    is_present = value is True or (isinstance(value, Likelihood) and value.ratio > 1.0)
    assert [route.raises for route in entry.routes] == [is_present]
    assert (entry.decibans < 0.0) == is_present
    assert entry.competitor == "b"
    assert rival.competitor == ""
    speaks = "speaks for" if is_present else "speaks against"
    assert f"through a rival: {speaks} b" in repr(result.explain("a"))
    assert result.explain("a").to_dict()["weights"][0]["routes"][0]["raises"] == is_present


def with_a_complication() -> Model:
    """Causes a and b with a finding of their own each, and `worse`, which only a leads to and which shows in h."""
    content = small_content(
        {"a": (1.0, {"f": 0.75, "worse": 0.25}), "b": (1.0, {"g": 0.75}), "c": (1.0, {})},
        {"f": 0.0625, "g": 0.0625, "h": 0.125},
    )
    for name in "fg":
        content["findings"][name]["label"] = f"{name} finding"
    text = {key: content["causes"]["a"][key] for key in ("label", "description", "group", "urgency", "care")}
    content["complications"] = {"worse": {**text, "label": "worse", "leak": number(0.0), "odds": {}, "links": {"h": link(0.5)}}}
    return model_of({**content, "explanation": shipped("tutorial")._content["explanation"]})


def test_a_cause_does_not_compete_with_what_it_leads_to() -> None:
    """It explains the finding by itself, so the complication is less probable with it; but it is no other explanation."""
    content = small_content({"a": (1.0, {"h": 0.9, "worse": 0.001}), "b": (1.0, {"h": 0.9})}, {"h": 0.01})
    text = {key: content["causes"]["a"][key] for key in ("label", "description", "group", "urgency", "care")}
    content["complications"] = {"worse": {**text, "label": "worse", "leak": number(0.1), "odds": {}, "links": {"h": link(0.9)}}}
    result = model_of(content).diagnose({"h": True})
    contest = result.compare_causes("worse", "a")
    assert contest.first_with is not None
    assert contest.first_without is not None
    assert contest.first_with < contest.first_without
    assert [rival.id for rival in result.explain("worse").competitors] == ["b"]


@pytest.mark.parametrize("present", [True, False])
def test_what_moves_a_complication_through_its_cause_names_that_cause_and_no_rival(present: bool) -> None:
    ledger = with_a_complication().diagnose({"f": present, "g": not present, "h": True}).explain("worse")
    through, beside, own = (ledger[name] for name in "fgh")
    assert (through.decibans > 0.0, beside.decibans > 0.0) == (present, present)
    assert [(w.parent, w.competitor) for w in (through, beside, own)] == [("a", ""), ("a", ""), ("", "")]
    (route,) = through.routes
    assert (route.parent, route.through, route.raises) == ("a", ("a", "f"), present)
    assert [number.place for number in route.numbers] == ["a.links.worse", "a.links.f", "f.leak"]
    assert beside.routes == ()
    fact = "f finding" if present else "no “f finding”"
    assert any(s.startswith("Through a, which leads to worse: ") and fact in s for s in ledger.sentences)
    assert f"speaks {'for' if present else 'against'} a, which leads to it" in repr(ledger)
    assert ledger.to_dict()["weights"][0]["parent"] == ledger.weights[0].parent


@pytest.mark.parametrize("present", [True, False])
def test_what_moves_a_cause_by_way_of_what_it_leads_to_names_that(present: bool) -> None:
    """`f` is its own, `h` only its complication's."""
    ledger = with_a_complication().diagnose({"f": True, "h": present}).explain("a")
    own, by_way = ledger["f"], ledger["h"]
    assert (by_way.decibans > 0.0) == present
    assert [(w.parent, w.child, w.competitor) for w in (own, by_way)] == [("", "", ""), ("", "worse", "")]
    assert [(route.through, route.child) for route in by_way.routes] == [(("a", "worse", "h"), "worse")]
    if present:
        assert "By way of worse, which a can lead to: a finding." in ledger.sentences
    assert f"speaks {'for' if present else 'against'} worse, which it can lead to" in repr(ledger)
    assert [entry["child"] for entry in ledger.to_dict()["weights"]] == [w.child for w in ledger.weights]


def test_a_scan_speaks_for_a_strain_only_by_the_clot_that_it_can_bring() -> None:
    told = {"age": 40, "sudden_onset": True, "onset_after_exertion": True, "vein_ultrasound_positive": True}
    ledger = shipped("calf").diagnose(told).explain("calf_muscle_strain")
    assert ledger["sudden_onset"].child == ""
    scan = ledger["vein_ultrasound_positive"]
    assert scan.decibans > 0.0
    assert (scan.child, scan.competitor, {route.child for route in scan.routes}) == (
        "deep_vein_thrombosis",
        "",
        {"deep_vein_thrombosis"},
    )


def test_swelling_speaks_for_a_clot_and_so_for_its_embolism() -> None:
    told = {"age": 58, "unilateral_calf_swelling": True, "recent_surgery": True}
    ledger = shipped("calf").diagnose(told).explain("pulmonary_embolism")
    for name in ("unilateral_calf_swelling", "recent_surgery"):
        assert (ledger[name].parent, ledger[name].competitor) == ("deep_vein_thrombosis", "")
        assert all(route.parent == "deep_vein_thrombosis" for route in ledger[name].routes)


def test_a_causes_own_odds_come_before_those_of_what_leads_to_it() -> None:
    """Of all risk factors on all causes, however many side routes there are."""
    network = shipped("calf")._solved.network
    side_routes = 0
    for cause in ("deep_vein_thrombosis", "acute_limb_ischaemia", "peripheral_artery_disease", "peripheral_neuropathy"):
        for risk in network.risks:
            found = routes(network, risk.id, True, risk.states[-1], cause, ())
            lengths = [len(route.through) for route in found]
            assert lengths == sorted(lengths)
            assert all((route.parent == "") == (len(route.through) == 2) for route in found)
            side_routes += len({bool(route.parent) for route in found}) == 2
    assert side_routes >= 3
    ledger = shipped("calf").diagnose({"age": 30}).explain("deep_vein_thrombosis")
    assert ledger["age"].routes[0].numbers[0].place.startswith("deep_vein_thrombosis.odds.age")


def test_sources_of_all_routes_are_told_and_those_of_judged_numbers_marked() -> None:
    content = small_content({"a": (1.0, {"m": 0.5, "f": 0.25}), "b": (1.0, {})}, {"f": 0.125}, mechanisms={"m": {"f": 0.5}})
    content["sources"] |= dict.fromkeys(("counted", "guessed"), content["sources"]["nowhere"] | {"kind": "article"})
    content["causes"]["a"]["links"]["m"] |= {"source": ["counted", "guessed"], "kind": "measured"}
    content["causes"]["a"]["links"]["f"] |= {"source": ["guessed"], "kind": "judged", "why": "so it seems"}
    content["mechanisms"]["m"]["links"]["f"] |= {"source": ["nowhere"], "kind": "judged", "why": "so it seems"}
    content["findings"]["f"]["leak"] |= {"source": ["nowhere"], "kind": "judged", "why": "so it seems"}
    ledger = model_of(content).diagnose({"f": True}).explain("a")
    assert len(ledger["f"].routes) == 2
    assert set(ledger["f"].sources) == {"counted", "guessed", "nowhere"}
    assert ledger["f"].judged == ("nowhere",)
    assert "; judged: nowhere]" in repr(ledger)
    assert "Judged:" in ledger._repr_html_()


def test_a_share_names_its_sources_and_judgement_is_not_firm_for_standing_in_a_derived_number() -> None:
    content = small_content({"a": (1.0, {"f": 0.25}), "b": (1.0, {})}, {"f": 0.125})
    content["sources"] |= {"counted": content["sources"]["nowhere"] | {"kind": "article"}}
    content["causes"]["a"]["weight"]["here"] |= {"source": ["counted", "nowhere"], "kind": "derived"}
    ledger = model_of(content).diagnose().explain("a")
    assert [number.place for number in ledger.share_numbers] == ["a.weight.here"]
    assert ledger.sources == ("counted", "nowhere")
    assert "[counted; judged: nowhere]" in repr(ledger)
    of_complication = shipped("calf").diagnose().explain("pulmonary_embolism", cost_limit=1e8).share_numbers
    assert {n.place for n in of_complication} >= {"pulmonary_embolism.leak", "deep_vein_thrombosis.links.pulmonary_embolism"}


def test_what_acts_through_a_rival_names_the_sources_of_the_rival() -> None:
    model = shipped("tutorial")
    ledger = model.diagnose({"radiating_pain_from_back": True}).explain("deep_vein_thrombosis")
    places = {number.place for number in ledger["radiating_pain_from_back"].numbers}
    assert {"lumbosacral_radiculopathy.links.radiating_pain_from_back", "radiating_pain_from_back.leak"} <= places
    assert set(ledger["radiating_pain_from_back"].sources) <= set(ledger.sources)


def test_what_moves_a_parent_by_a_rival_names_the_sources_of_that() -> None:
    """An answer that bears on neither a complication nor its cause, but on what competes with the cause."""
    given = {"unilateral_calf_swelling": True, "bruising": True}
    entry = shipped("calf").diagnose(given).explain("sepsis")["bruising"]
    assert (entry.routes, entry.parent) == ((), "cellulitis")
    assert any(number.place == "bruising.leak" for number in entry.numbers)


def test_sources_do_not_end_where_the_routes_that_are_told_end() -> None:
    ways = {f"m{k}": 0.5 - k / 16 for k in range(4)}
    content = small_content({"a": (1.0, ways), "b": (1.0, {})}, {"f": 0.125}, mechanisms={way: {"f": 0.5} for way in ways})
    content["sources"] |= {"last": content["sources"]["nowhere"]}
    content["mechanisms"]["m3"]["links"]["f"] |= {"source": ["last"]}
    weight = model_of(content).diagnose({"f": True}).explain("a")["f"]
    assert len(weight.routes) == 3
    assert "last" in weight.sources


def test_a_risk_state_speaks_for_a_cause_if_none_has_a_higher_odds_ratio() -> None:
    model = shipped("tutorial")

    def raises(value: object, name: str = "age") -> bool | None:
        return model.diagnose({name: value}).explain("peripheral_artery_disease")[name].routes[0].raises

    assert [raises(age) for age in (30, 50, 70, 90)] == [False, None, None, True]
    assert (raises(True, "smoking"), raises(False, "smoking")) == (True, False)


def test_nothing_known_is_explained_by_nothing() -> None:
    result = shipped("tutorial").diagnose()
    ledger = result.explain("overuse")
    assert ledger.weights == ()
    assert ledger.posterior_decibans == pytest.approx(decibans(result["overuse"].share), abs=1e-9)


def test_a_cause_that_does_not_exist_is_named() -> None:
    result: Diagnosis = shipped("tutorial").diagnose(PATIENT)
    with pytest.raises(UnknownNameError, match="overuse"):
        result.explain("overus")


def test_the_share_of_one_item_is_that_of_all_at_once() -> None:
    """Of all orders and of some, for several things at a time."""
    values = np.random.default_rng(5).random((2**5, 3))
    for design in (every_order(5), some_orders(5, 6, seed=2)):
        of_sets = values[design.sets @ (1 << np.arange(5))]
        together = np.stack([shares(design, thing)[0] for thing in of_sets.T], axis=1)
        for item in range(5):
            assert share_of(design, of_sets, item) == pytest.approx(together[item], abs=1e-14)


def test_what_was_not_looked_for_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("calfbayes.explanation.ledger.UNASKED_LIMIT", 1.0)
    ledger = shipped("tutorial").diagnose({"redness": True, "night_cramps": False}).explain("overuse")
    assert ledger.unasked is None
    assert "not looked for" in ledger.sentences[-1]
    assert not ledger.unasked_of_all


def test_where_all_would_cost_too_much_only_what_bears_on_the_cause_is_looked_at() -> None:
    """A limit between the two prices; the answers that are looked at do as much as they do among all."""
    result = shipped("calf").diagnose({"age": 58, "sex": "female", "unilateral_calf_swelling": True, "redness": False})
    of_all = result.explain("deep_vein_thrombosis")
    near = result.explain("deep_vein_thrombosis", cost_limit=8e6)
    assert of_all.unasked_of_all
    assert not near.unasked_of_all
    assert of_all.unasked
    assert near.unasked
    told = {entry.id: entry.expected_change for entry in near.unasked}
    assert {entry.id: entry.expected_change for entry in of_all.unasked if entry.id in told} == pytest.approx(
        {name: told[name] for name in told if name in {entry.id for entry in of_all.unasked}}, abs=1e-9
    )
    network = result._solved.network
    assert all(reaches(network, "deep_vein_thrombosis", n) or moves(network, n, "deep_vein_thrombosis") for n in told)
    assert any("was looked at" in sentence for sentence in near.sentences)
    assert not any("was looked at" in sentence for sentence in of_all.sentences)


def test_absent_findings_show_no_process() -> None:
    ledger = (
        shipped("calf")
        .diagnose({"age": 30, "unilateral_calf_swelling": False, "pitting_oedema": False})
        .explain("deep_vein_thrombosis")
    )
    assert {w.id for w in ledger.weights if w.decibans < 0} >= {"unilateral_calf_swelling"}
    assert not any("same process" in sentence for sentence in ledger.sentences)


@pytest.mark.parametrize("limit", [float("nan"), "x", True, 0, -1.0])
def test_a_limit_that_is_no_number_above_zero_is_named(limit: object) -> None:
    result = shipped("tutorial").diagnose({"redness": True, "cold_feet": True})
    for ask in (
        lambda: result.explain("overuse", cost_limit=limit),  # type: ignore[arg-type]
        lambda: result.conflict(cost_limit=limit),  # type: ignore[arg-type]
        lambda: result.sensitivity("overuse", cost_limit=limit),  # type: ignore[arg-type]
        lambda: result.intervals(cost_limit=limit),  # type: ignore[arg-type]
    ):
        with pytest.raises(ArgumentError, match="cost_limit"):
            ask()


@pytest.mark.parametrize("present", [True, False])
def test_an_odds_ratio_of_0_can_be_explained_in_every_state(present: bool) -> None:
    """The state that rules a cause out, and the state that does not, have a route by the same ratio."""
    content = small_content({"a": (1.0, {"f": 0.5}), "b": (1.0, {})}, {"f": 0.25})
    content["risk_factors"]["old"] = factor("old", 0.25)
    content["causes"]["a"]["odds"] = {"old": {"present": number(0.0)}}
    ledger = model_of(content).diagnose({"old": present}).explain("a")
    assert any(cited.value == 0.0 for route in ledger["old"].routes for cited in route.numbers)
    assert (ledger.certainty == Certainty.RULED_OUT) is present
