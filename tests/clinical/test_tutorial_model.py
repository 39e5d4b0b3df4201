"""What a clinician expects of the tutorial model. Each expectation states its reason."""

from collections.abc import Mapping

import pytest

import calfbayes as cb

MODEL = cb.load_model("tutorial")
SETTINGS = ("community", "primary_care", "emergency")
Given = Mapping[str, object]

# reason, setting, evidence, the cause that must come first
VIGNETTES: tuple[tuple[str, str, Given, str], ...] = (
    (
        "an older man who smokes and hurts on walking has narrowed arteries until shown otherwise",
        "primary_care",
        {"age": 67, "sex": "male", "smoking": True, "pain_on_walking": True},
        "peripheral_artery_disease",
    ),
    (
        "soreness after unusual effort in a young adult is overuse",
        "community",
        {"age": 24, "onset_after_exertion": True, "muscle_tenderness": True},
        "overuse",
    ),
    (
        "pain that runs down from the back comes from a nerve root",
        "primary_care",
        {"age": 45, "radiating_pain_from_back": True},
        "lumbosacral_radiculopathy",
    ),
    (
        "one swollen calf after an operation is a clot until shown otherwise",
        "primary_care",
        {"age": 55, "recent_surgery": True, "unilateral_calf_swelling": True},
        "deep_vein_thrombosis",
    ),
    (
        "cramps and weakness with low potassium come from the salts",
        "primary_care",
        {"night_cramps": True, "leg_weakness": True, "potassium_low": True},
        "electrolyte_deficit",
    ),
    (
        "below 40 even a smoker who hurts on walking and eases at rest is sore rather than atherosclerotic",
        "primary_care",
        {"age": 30, "smoking": True, "pain_on_walking": True, "pain_relieved_by_rest": True},
        "overuse",
    ),
)

# reason, setting, evidence, the level of the flag
LEVELS: tuple[tuple[str, str, Given, str], ...] = (
    (
        "breathlessness with calf pain may be an embolism, however harmless the calf looks",
        "community",
        {"age": 24, "onset_after_exertion": True, "shortness_of_breath": True},
        "emergency",
    ),
    (
        "a suddenly painful cold foot may be a blocked artery, although the model holds no such cause",
        "primary_care",
        {"sudden_onset": True, "cold_feet": True},
        "emergency",
    ),
    (
        "a calf swollen after an operation is tested today, even where clots are rare",
        "community",
        {"age": 24, "recent_surgery": True, "calf_girth_difference_3cm": True},
        "same_day",
    ),
    (
        "sciatica with a weak leg is seen within days",
        "community",
        {"age": 45, "radiating_pain_from_back": True, "leg_weakness": True},
        "within_days",
    ),
    (
        "plain soreness after sport needs nobody",
        "community",
        {"age": 24, "onset_after_exertion": True, "muscle_tenderness": True, "unilateral_calf_swelling": False},
        "self_care",
    ),
)


def probability(cause: str, given: Given, setting: str = "primary_care") -> float:
    return MODEL.diagnose(given, setting=setting)[cause].probability


@pytest.mark.parametrize("setting", SETTINGS)
def test_with_nothing_known_every_posterior_is_the_share(setting: str) -> None:
    """A share is the weight over the sum of weights, times one plus the coincidence."""
    weights = {c.id: next(w.number.value for w in c.weights if w.setting == setting) for c in MODEL.causes}
    coincidence = next(s.coincidence.value for s in MODEL.settings if s.id == setting)
    result = MODEL.diagnose(setting=setting)
    for cause, weight in weights.items():
        share = weight / sum(weights.values()) * (1 + coincidence)
        assert result[cause].probability == pytest.approx(share, rel=0, abs=1e-9)
        assert result[cause].share == pytest.approx(share, rel=0, abs=1e-9)
    assert result.log_evidence == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("setting", SETTINGS)
def test_with_nothing_known_the_outcome_is_insufficient(setting: str) -> None:
    """Nobody is sent to a doctor today, let alone to an emergency department, for opening the page."""
    result = MODEL.diagnose(setting=setting)
    assert result.outcome == cb.Outcome.INSUFFICIENT
    if setting != "emergency":
        assert result.urgency.level.severity <= cb.Level.WITHIN_DAYS.severity


@pytest.mark.parametrize(("setting", "given", "first"), [v[1:] for v in VIGNETTES], ids=[v[0] for v in VIGNETTES])
def test_first_cause(setting: str, given: Given, first: str) -> None:
    assert MODEL.diagnose(given, setting=setting).causes[0].id == first


@pytest.mark.parametrize(("setting", "given", "level"), [v[1:] for v in LEVELS], ids=[v[0] for v in LEVELS])
def test_level(setting: str, given: Given, level: str) -> None:
    assert str(MODEL.diagnose(given, setting=setting).urgency.level) == level


def test_one_swelling_is_not_counted_three_times() -> None:
    """Tape and thumb confirm what the eye saw: together they add less than the eye alone did."""
    unseen = probability("deep_vein_thrombosis", {"age": 55})
    seen = probability("deep_vein_thrombosis", {"age": 55, "unilateral_calf_swelling": True})
    confirmed = probability(
        "deep_vein_thrombosis",
        {"age": 55, "unilateral_calf_swelling": True, "calf_girth_difference_3cm": True, "pitting_oedema": True},
    )
    assert unseen < seen < confirmed
    assert odds(confirmed) / odds(seen) < 1.5 < odds(seen) / odds(unseen)


def test_a_negative_d_dimer_without_swelling_nearly_clears_a_clot() -> None:
    """Guidelines stop testing after a negative D-dimer in people with a low clinical score."""
    low = {"age": 50, "recent_surgery": False, "unilateral_calf_swelling": False}
    assert probability("deep_vein_thrombosis", {**low, "positive_d_dimer": False}) < 0.02


def test_a_positive_d_dimer_says_less_with_age() -> None:
    """It is raised in most people over eighty, clot or not."""
    gain = {
        age: odds(probability("deep_vein_thrombosis", {"age": age, "positive_d_dimer": True}))
        / odds(probability("deep_vein_thrombosis", {"age": age}))
        for age in (30, 50, 70, 85)
    }
    assert gain[30] > gain[50] > gain[70] > gain[85] > 1


def test_night_cramps_alone_hardly_speak_for_a_lack_of_salts() -> None:
    """A third of adults have cramps, and magnesium does not help older ones."""
    before = probability("electrolyte_deficit", {"age": 70})
    after = probability("electrolyte_deficit", {"age": 70, "night_cramps": True})
    assert before < after < 2 * before


def test_a_raised_muscle_enzyme_after_exertion_is_no_myositis() -> None:
    """Hard work lifts creatine kinase for days: the effort explains it away."""
    raised = {"leg_weakness": True, "creatine_kinase_raised": True, "muscle_tenderness": True}
    after_effort = probability("myositis", {**raised, "onset_after_exertion": True})
    without_effort = probability("myositis", {**raised, "onset_after_exertion": False})
    assert after_effort < 0.05
    assert without_effort > 3 * after_effort
    assert without_effort > 50 * MODEL.diagnose(setting="primary_care")["myositis"].share


def test_missing_pulses_speak_for_narrowed_arteries_and_normal_ones_do_not_clear_them() -> None:
    """Likelihood ratios: 4.7 and more for any change of the pulses, 0.38 to 0.8 for none."""
    at_65 = {"age": 65, "pain_on_walking": True}
    unknown, missing, normal = (
        odds(probability("peripheral_artery_disease", given))
        for given in (at_65, {**at_65, "absent_foot_pulses": True}, {**at_65, "absent_foot_pulses": False})
    )
    assert 4 < missing / unknown < 12
    assert 0.38 < normal / unknown < 0.8


@pytest.mark.parametrize("cause", ["peripheral_artery_disease", "deep_vein_thrombosis"])
def test_vascular_causes_grow_with_age(cause: str) -> None:
    """Clots and narrowed arteries become commoner with each decade, sore muscles rarer."""
    risks = [probability(cause, {"age": age}) for age in (30, 50, 70, 85)]
    assert risks == sorted(risks)
    soreness = [probability("overuse", {"age": age}) for age in (30, 50, 70, 85)]
    assert soreness == sorted(soreness, reverse=True)


def test_a_child_is_outside_the_scope() -> None:
    """The six causes are those of adults."""
    assert MODEL.diagnose({"age": 9}).outcome == cb.Outcome.OUTSIDE_SCOPE


def odds(p: float) -> float:
    return p / (1.0 - p)
