"""Reading constraints: every fault is named, with the constraint and the key where it stands."""

from pathlib import Path

import pytest

from calfbayes import Level, ModelFileError, NoSuchModelError, Outcome
from calfbayes.constraints.content import FOLDER
from calfbayes.constraints.reading import find_constraints, read_constraints
from calfbayes.constraints.terms import (
    Bounds,
    Constraint,
    Measure,
    MedianUrgency,
    Monotone,
    Moves,
    Probability,
    RuleStratum,
    Selection,
    UrgencyIs,
)
from support.models import shipped, with_constraints

NETWORK = shipped("tutorial")._solved.network

PROBABILITY = """
[[constraints]]
id = "one"
kind = "probability"
cause = "deep_vein_thrombosis"
given = { unilateral_calf_swelling = true, age = 67, sex = "male" }
between = [0.1, 0.4]
source = ["goodacre_2005"]
why = "for a test"
"""
SCORE = """
[scores.simple]
label = "a simple score"
cause = "deep_vein_thrombosis"
items = [{ points = 1, when = "recent_surgery" }, { points = -2, other_diagnosis = true }]
ask = ["age"]
no_diagnosis = ["overuse"]
patients = 50
seed = 7
"""
OTHERS = {
    "ranks": 'cause = "overuse"\nwithin = 2',
    "dominates": 'causes = ["overuse", "myositis"]',
    "yields": 'cause = "overuse"\nto = ["pitting_oedema"]',
    "raises": 'cause = "overuse"\nof = { muscle_tenderness = true }\nby_at_least = 1.5',
    "lowers": 'cause = "overuse"\nof = { redness = true }',
    "must_not_raise": 'group = "any"\nexcept_for = ["overuse"]\nof = { muscle_tenderness = true }\nby_more_than = 2',
    "must_not_lower": 'cause = ["overuse", "myositis"]\nof = { muscle_tenderness = true }',
    "likelihood_ratio": 'cause = "overuse"\nof = "muscle_tenderness or night_cramps"\nagainst = "myositis"\nat_least = 2',
    "frequencies": 'cause = "overuse"\nof = { muscle_tenderness = 0.6, redness = 0.02, "age >= 60" = 0.3 }\nwithin_factor = 3',
    "takes": 'cause = "overuse"\nof = { muscle_tenderness = true }\nstart = 0.3\nat_most = 0.8',
    "monotone": 'cause = "overuse"\nalong = "age"\ndirection = "falls"',
    "urgency": 'at_most = "within_days"\noutcome = "insufficient"',
    "rule": 'rule = "sudden_loss_of_blood_supply"\nat_least = "emergency"\npictures = [["sudden_onset", "cold_feet"]]',
    "median_urgency": 'at_least = "routine"\ntell = ["age"]\npatients = 5\nseed = 1',
    "rule_stratum": 'score = "simple"\npoints = [-2, 0]\nlikelihood_ratio = [0.1, 0.5]',
}


def written(folder: Path, text: str) -> Path:
    return with_constraints(folder, text)


def of_kind(kind: str, more: str = "") -> str:
    head = f'[[constraints]]\nid = "one"\nkind = "{kind}"\nsource = ["goodacre_2005"]\nwhy = "for a test"\n'
    return f"{SCORE}\n{head}{more or OTHERS[kind]}\n"


def read(folder: Path, text: str) -> Constraint:
    (constraint,) = read_constraints(NETWORK, written(folder, text)).constraints
    return constraint


def faults(folder: Path, text: str) -> list[str]:
    with pytest.raises(ModelFileError) as error:
        read_constraints(NETWORK, written(folder, text))
    return [str(fault) for fault in error.value.faults]


def test_a_probability_is_read(tmp_path: Path) -> None:
    constraint = read(tmp_path, PROBABILITY)
    assert constraint == Probability(
        id="one",
        kind="probability",
        sources=("goodacre_2005",),
        why="for a test",
        setting="primary_care",
        given=Selection((("unilateral_calf_swelling", True), ("age", 67.0), ("sex", "male"))),
        denied=(),
        causes=("deep_vein_thrombosis",),
        wanted=Bounds(0.1, 0.4),
    )
    assert str(constraint) == "in primary_care, unilateral_calf_swelling, age 67, sex male"


@pytest.mark.parametrize("kind", OTHERS)
def test_every_kind_is_read(tmp_path: Path, kind: str) -> None:
    constraint = read(tmp_path, of_kind(kind))
    assert constraint.kind == kind
    assert type(constraint) is not Constraint


def test_one_that_must_not_move_may_move_by_the_factor(tmp_path: Path) -> None:
    constraint = read(tmp_path, of_kind("must_not_raise"))
    assert isinstance(constraint, Moves)
    assert constraint.upward
    assert constraint.times.hold(2.0)
    assert not constraint.times.hold(2.1)
    assert ("overuse",) not in constraint.targets
    assert len(constraint.targets) == 5


def test_one_that_lowers_is_no_standstill(tmp_path: Path) -> None:
    constraint = read(tmp_path, of_kind("lowers"))
    assert isinstance(constraint, Moves)
    assert not constraint.upward
    assert not constraint.times.hold(1.0)
    assert constraint.times.hold(1.01)


def test_several_causes_count_as_one(tmp_path: Path) -> None:
    constraint = read(tmp_path, of_kind("must_not_lower"))
    assert isinstance(constraint, Moves)
    assert constraint.targets == (("overuse", "myositis"),)


def test_along_a_risk_factor_all_states_are_meant(tmp_path: Path) -> None:
    constraint = read(tmp_path, of_kind("monotone"))
    assert isinstance(constraint, Monotone)
    assert constraint.states == ("age_0_39", "age_40_59", "age_60_79", "age_80_plus")
    assert not constraint.rising


def test_levels_are_read(tmp_path: Path) -> None:
    urgency, median = read(tmp_path, of_kind("urgency")), read(tmp_path, of_kind("median_urgency"))
    assert isinstance(urgency, UrgencyIs)
    assert (urgency.least, urgency.most, urgency.outcome) == (Level.SELF_CARE, Level.WITHIN_DAYS, Outcome.INSUFFICIENT)
    assert isinstance(median, MedianUrgency)
    assert (median.least, median.most, median.patients) == (Level.ROUTINE, Level.EMERGENCY, 5)


def test_a_score_is_read(tmp_path: Path) -> None:
    constraint = read(tmp_path, of_kind("rule_stratum"))
    assert isinstance(constraint, RuleStratum)
    assert (constraint.stratum, constraint.measure, constraint.wanted) == (
        Bounds(-2, 0),
        Measure.LIKELIHOOD_RATIO,
        Bounds(0.1, 0.5),
    )
    assert [(item.points, item.when) for item in constraint.score.items] == [(1, "recent_surgery"), (-2, "")]


def test_sources_that_no_number_uses_stand_in_the_file(tmp_path: Path) -> None:
    source = '[sources.nobody_2020]\ncitation = "Nobody 2020"\nurl = "https://example.org"\nkind = "article"\n'
    file = read_constraints(NETWORK, written(tmp_path, source + PROBABILITY.replace("goodacre_2005", "nobody_2020")))
    assert [source.id for source in file.sources] == ["nobody_2020"]
    assert file.constraints[0].sources == ("nobody_2020",)


def test_no_red_flags_answers_what_the_rules_could_ask(tmp_path: Path) -> None:
    text = of_kind("urgency", 'no_red_flags = true\ngiven = { sudden_onset = true }\nat_most = "routine"')
    constraint = read(tmp_path, text)
    assert set(constraint.denied) == {
        "shortness_of_breath",
        "cold_feet",
        "leg_weakness",
        "unilateral_calf_swelling",
        "calf_girth_difference_3cm",
        "pitting_oedema",
        "radiating_pain_from_back",
        "recent_surgery",
    }
    assert str(constraint).endswith("sudden_onset, and no to every question of a red-flag rule")


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ('id = "one"', 'id = "One"', "constraints.One.id: 'One' is no id"),
        ('kind = "probability"', 'kind = "likelihood"', "constraints.one.kind: 'likelihood' is no kind"),
        ('cause = "deep_vein_thrombosis"', 'cause = "deep_vein_trombosis"', "nearest: deep_vein_thrombosis"),
        ('cause = "deep_vein_thrombosis"', "", "constraints.one.cause: is missing"),
        ("between = [0.1, 0.4]", "", "needs exactly one of between, at_least and at_most"),
        ("between = [0.1, 0.4]", "between = [0.4, 0.1]", "between: [0.4, 0.1] falls"),
        ("between = [0.1, 0.4]", "between = [0.1, 0.4]\nat_most = 0.3", "needs exactly one of between, at_least and at_most"),
        ("between", "betwen", "constraints.one.betwen: is no key"),
        ("unilateral_calf_swelling = true", "unilateral_calf_sweling = true", "nearest: unilateral_calf_swelling"),
        ("unilateral_calf_swelling = true", 'unilateral_calf_swelling = "much"', "constraints.one.given"),
        ("age = 67", "age = -3", "lies outside"),
        ('{ unilateral_calf_swelling = true, age = 67, sex = "male" }', '"redness or"', "constraints.one.given"),
        ("goodacre_2005", "goodacre_2050", "nearest: goodacre_2005"),
        ('why = "for a test"', "", "constraints.one.why: is missing"),
        ('why = "for a test"', 'why = "for a test"\nsetting = "hospital"', "no care setting"),
        (PROBABILITY, PROBABILITY + PROBABILITY, "'one' stands in constraints/test.toml, too"),
        ("[[constraints]]", "[[constraints]", "is no TOML"),
    ],
)
def test_faults_of_a_probability(tmp_path: Path, old: str, new: str, told: str) -> None:
    assert any(told in fault for fault in faults(tmp_path, PROBABILITY.replace(old, new)))


@pytest.mark.parametrize(
    ("kind", "old", "new", "told"),
    [
        ("ranks", "within = 2", "within = 0", "constraints.one.within"),
        ("ranks", "overuse", "pulmonary_embolism", "is no cause"),
        ("dominates", '"overuse", ', "", "constraints.one.causes"),
        ("yields", "pitting_oedema", "local_swelling", "is no finding"),
        ("raises", 'cause = "overuse"', 'cause = "overuse"\ngroup = "any"', "needs exactly one of cause and group"),
        ("must_not_raise", '"any"', '"spinal"', "is no group of causes"),
        (
            "must_not_raise",
            'group = "any"\nexcept_for = ["overuse"]',
            'group = "spine"\nexcept_for = ["lumbosacral_radiculopathy"]',
            "constraints.one.except_for: spares every cause of 'spine'",
        ),
        ("frequencies", "redness", "rednes", "is no finding"),
        ("frequencies", "0.02", "1.0", "constraints.one.of"),
        ("frequencies", "within_factor = 3", "within_factor = 1", "constraints.one.within_factor"),
        ("monotone", '"age"', '"redness"', "is no risk factor"),
        ("monotone", 'direction = "falls"', 'direction = "falls"\nstates = ["age_5"]', "is no state of age"),
        ("urgency", 'at_most = "within_days"', 'at_most = "routine"\nat_least = "same_day"', "is more urgent than at_most"),
        (
            "urgency",
            'at_most = "within_days"',
            'at_most = "routine"\nno_red_flags = true\ngiven = "redness"',
            "needs one patient",
        ),
        ("median_urgency", '["age"]', '["calf_pain"]', "is no finding or risk factor"),
        ("rule_stratum", '"simple"', '"difficult"', "is no score"),
        ("rule_stratum", "likelihood_ratio = [0.1, 0.5]", "", "needs exactly one of likelihood_ratio and probability"),
        ("rule_stratum", 'when = "recent_surgery"', 'when = "surgery"', "scores.simple.items"),
        ("rule_stratum", "other_diagnosis = true", 'when = "redness", other_diagnosis = true', "needs exactly one of when and"),
        ("rule_stratum", 'ask = ["age"]', 'ask = ["aging"]', "scores.simple.ask"),
    ],
)
def test_faults_of_other_kinds(tmp_path: Path, kind: str, old: str, new: str, told: str) -> None:
    assert any(told in fault for fault in faults(tmp_path, of_kind(kind).replace(old, new)))


@pytest.mark.parametrize(("kind", "key"), [("probability", "cause"), ("likelihood_ratio", "against"), ("ranks", "scope")])
@pytest.mark.parametrize("text", ["", "Not an id"])
def test_a_text_that_is_no_id_is_told_where_several_may_stand(tmp_path: Path, kind: str, key: str, text: str) -> None:
    least = {**OTHERS, "probability": "at_most = 0.5"}[kind].replace('against = "myositis"\n', "")
    (told,) = faults(tmp_path, of_kind(kind, f'{least}\n{key} = "{text}"'))
    assert told.startswith(f"constraints/test.toml: constraints.one.{key}: {text!r} is no id; use small letters")


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    text = PROBABILITY.replace("deep_vein_thrombosis", "x").replace("goodacre_2005", "y").replace("age = 67", "z = 1")
    assert len(faults(tmp_path, text)) == 3


def test_the_files_of_a_folder_share_sources_and_scores_and_each_fault_names_its_own(tmp_path: Path) -> None:
    source = '[sources.nobody_2020]\ncitation = "Nobody 2020"\nurl = "https://example.org"\nkind = "article"\n'
    stratum = of_kind("rule_stratum").removeprefix(f"{SCORE}\n").replace("goodacre_2005", "nobody_2020")
    (written(tmp_path, stratum) / FOLDER / "scores.toml").write_text(source + SCORE, encoding="utf-8")
    read = read_constraints(NETWORK, tmp_path)
    assert [source.id for source in read.sources] == ["nobody_2020"]
    assert read.files == {"one": "constraints/test.toml"}
    (tmp_path / FOLDER / "again.toml").write_text(source + SCORE.replace("overuse", "overused"), encoding="utf-8")
    with pytest.raises(ModelFileError) as error:
        read_constraints(NETWORK, tmp_path)
    assert [(fault.file, fault.place, fault.problem) for fault in error.value.faults] == [
        ("constraints/again.toml", "scores.simple.no_diagnosis", "'overused' is no cause"),
        ("constraints/scores.toml", "sources.nobody_2020", "stands in constraints/again.toml, too"),
        ("constraints/scores.toml", "scores.simple", "stands in constraints/again.toml, too"),
    ]


@pytest.mark.parametrize("lost", ["constraints/old/test.toml", "constraints/Test.TOML"])
def test_a_file_of_constraints_that_would_be_lost_is_a_fault(tmp_path: Path, lost: str) -> None:
    written(tmp_path, PROBABILITY)
    (tmp_path / lost).parent.mkdir(exist_ok=True)
    (tmp_path / lost).write_text(PROBABILITY, encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"no (file|folder) of this name belongs to a model"):
        read_constraints(NETWORK, tmp_path)


def test_a_huge_file_is_refused(tmp_path: Path) -> None:
    assert "is too large" in faults(tmp_path, "#" * 2_000_001)[0]


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    (written(tmp_path, "") / FOLDER / "test.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelFileError, match="is not UTF-8"):
        read_constraints(NETWORK, tmp_path)


def test_only_a_models_folder_is_looked_into(tmp_path: Path) -> None:
    with pytest.raises(NoSuchModelError, match=r"holds a model.toml"):
        find_constraints(written(tmp_path, PROBABILITY))
    (tmp_path / "model.toml").touch()
    assert find_constraints(tmp_path) == tmp_path
    assert find_constraints("tutorial").name == "tutorial"


@pytest.mark.parametrize("text", [None, "", "# nothing yet", SCORE])
def test_a_model_without_constraints_is_told(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        written(tmp_path, text)
    with pytest.raises(ModelFileError) as error:
        read_constraints(NETWORK, tmp_path)
    assert list(map(str, error.value.faults)) == [
        "constraints: holds no constraint; add one to a file THEME.toml in this folder, as in models/README.md"
    ]


def test_a_folder_that_is_named_like_a_file_holds_no_constraint(tmp_path: Path) -> None:
    (tmp_path / FOLDER / "clots.toml").mkdir(parents=True)
    with pytest.raises(ModelFileError, match="holds no constraint"):
        read_constraints(NETWORK, tmp_path)


@pytest.mark.parametrize(
    ("kind", "more", "said"),
    [
        ("probability", 'scope = ["rednes"]', "constraints.one.scope: 'rednes' is no finding or risk factor"),
        ("probability", 'scope = ["age"]', "'age' is spoken of elsewhere in the constraint"),
        ("raises", 'scope = ["muscle_tenderness"]', "'muscle_tenderness' is spoken of elsewhere"),
        ("rule_stratum", 'scope = "anything"', "rule_stratum speaks of random patients"),
        ("urgency", "tolerance = 0.1", "a level is met or not"),
        ("urgency", 'each_of = ["age"]', "'age' is no finding or yes/no risk factor"),
        ("ranks", "allow_explaining_away = true", "ranks compares nothing before and after"),
        ("ranks", "trials = 0", "constraints.one.trials"),
        ("urgency", 'given = "redness"', "constraints.one.given: urgency speaks of one patient; write given as a table"),
        ("rule", 'given = "redness"', "constraints.one.given: rule speaks of one patient; write given as a table"),
        ("rule", 'scope = "anything"', "constraints.one.scope: what is learnt besides cannot undo a rule"),
        ("rule", "given = { cold_feet = false }", "sudden_onset, cold_feet contradicts given"),
        ("urgency", 'no_red_flags = true\nscope = ["cold_feet"]', "'cold_feet' is spoken of elsewhere"),
    ],
)
def test_what_a_kind_would_not_look_at_is_refused(tmp_path: Path, kind: str, more: str, said: str) -> None:
    text = f"{PROBABILITY}{more}" if kind == "probability" else of_kind(kind, f"{OTHERS[kind]}\n{more}")
    assert any(said in fault for fault in faults(tmp_path, text))


CAUSE = 'cause = "overuse"\n'
OF = "of = { redness = true }\n"


@pytest.mark.parametrize(
    ("kind", "body", "said"),
    [
        ("probability", f"{CAUSE}at_most = 25", "at_most: is 25 and no probability; write one from 0 to 1 (25 % is 0.25)"),
        (
            "probability",
            f"{CAUSE}between = [8, 25]",
            "between[0]: is 8 and no probability; write one from 0 to 1 (8 % is 0.08)",
        ),
        ("takes", f"{CAUSE}{OF}start = 0.1\nat_least = 20", "at_least: is 20 and no probability"),
        ("probability", f"{CAUSE}at_least = 0", "constraints.one: everyone meets it"),
        ("probability", f"{CAUSE}at_most = 1", "constraints.one: everyone meets it"),
        ("probability", f"{CAUSE}between = [0.1, 0.9]\ntolerance = 0.1", "constraints.one: everyone meets it"),
        ("likelihood_ratio", f"{CAUSE}{OF}at_least = 0", "constraints.one: everyone meets it"),
        ("probability", f"{CAUSE}at_least = 0.99\ntolerance = 5", "tolerance: is 5 and leaves nothing demanded; give a"),
        ("ranks", f"{CAUSE}within = 6", "within: is 6, and there are 6 causes; give at most 5"),
        ("urgency", "", "everyone meets it; give at_least or at_most, or with urgency an outcome"),
        ("urgency", 'at_least = "self_care"\nat_most = "emergency"', "everyone meets it; give at_least or at_most"),
        ("median_urgency", 'tell = ["age"]\npatients = 5\nseed = 1', "everyone meets it; give at_least or at_most"),
        ("must_not_raise", f"{CAUSE}of = {{}}", "of: selects nobody in particular; name what is learnt"),
        ("takes", f'{CAUSE}of = "1"\nstart = 0.1\nat_most = 0.5', "of: selects nobody in particular; name what is learnt"),
        (
            "must_not_raise",
            f"{CAUSE}{OF}given = {{ redness = true }}",
            "of: says the same as given or compared_with",
        ),
        (
            "must_not_raise",
            f"{CAUSE}{OF}given = {{ redness = false }}",
            "of: 'redness' is spoken of in given, too; leave it out",
        ),
        ("must_not_raise", f'{CAUSE}of = "redness"\ngiven = "redness"', "of: says the same as given or compared_with"),
        ("must_not_lower", f"{CAUSE}{OF}compared_with = {{ redness = true }}", "of: says the same as given or compared_with"),
        (
            "must_not_lower",
            f"{CAUSE}{OF}compared_with = {{ age = 4 }}\ngiven = {{ age = 5 }}",
            "compared_with: 'age' is spoken",
        ),
        (
            "likelihood_ratio",
            f'{CAUSE}{OF}at_least = 2\nagainst = ["myositis", "overuse"]',
            "against: 'overuse' is compared with",
        ),
        ("raises", f"{CAUSE}{OF}by_at_least = 9\nby_at_most = 2", "by_at_least is above by_at_most; exchange the two"),
        ("raises", f"{CAUSE}{OF}except_for = ['myositis']", "except_for spares members of a group; leave it out"),
        ("raises", f"group = 'any'\n{OF}except_for = ['calf_pain']", "except_for: 'calf_pain' is no cause"),
        (
            "raises",
            f"group = 'muscle_tendon'\n{OF}except_for = ['deep_vein_thrombosis']",
            "except_for: 'deep_vein_thrombosis' is not in group muscle_tendon",
        ),
        (
            "raises",
            f"group = 'muscle_tendon'\n{OF}except_for = ['overuse', 'myositis']",
            "spares every",
        ),
        (
            "rule_stratum",
            "score = 'simple'\npoints = [6, 0]\nprobability = [0, 0.5]",
            "points: [6.0, 0.0] falls; exchange the two",
        ),
        ("rule_stratum", "score = 'simple'\npoints = [0, 6]\nlikelihood_ratio = [3, 1]", "likelihood_ratio: [3.0, 1.0] falls"),
        ("rule_stratum", "score = 'simple'\npoints = [0, 6]\nprobability = [5, 20]", "probability[0]: is 5 and no probability"),
        ("rule_stratum", "score = 'simple'\npoints = [0, 6]\nprobability = [0, 1]", "constraints.one: everyone meets it"),
        ("monotone", f"{CAUSE}along = 'age'\ndirection = 'rises'\nstates = ['age_0_39']", "states: holds 1; give at least 2"),
        (
            "monotone",
            f"{CAUSE}along = 'age'\ndirection = 'rises'\nstates = ['age_80_plus', 'age_0_39']",
            "states: are not in the",
        ),
        ("monotone", f"{CAUSE}along = 'age'\ndirection = 'rises'\nstates = ['age_0_39', 'age_0_39']", "states: are not in the"),
        ("monotone", f"{CAUSE}along = 'sex'\ndirection = 'rises'", "along: the states of sex have no order; list them in"),
        (
            "monotone",
            f"{CAUSE}along = 'age'\ndirection = 'rises'\ngiven = {{ age = 50 }}",
            "along: 'age' is spoken of in given",
        ),
    ],
)
def test_a_demand_that_says_nothing_is_refused(tmp_path: Path, kind: str, body: str, said: str) -> None:
    told = faults(tmp_path, of_kind(kind, body or "# nothing"))
    assert any(said in fault for fault in told), told


def test_what_an_expression_cannot_be_is_said(tmp_path: Path) -> None:
    (told,) = faults(tmp_path, of_kind("probability", f"{CAUSE}at_most = 0.5\ngiven = 'age == old'"))
    assert "age against old is no condition; give age == a state (age_0_39, " in told


def test_an_order_of_states_that_is_told_is_one(tmp_path: Path) -> None:
    constraint = read(tmp_path, of_kind("monotone", f"{CAUSE}along = 'sex'\ndirection = 'rises'\nstates = ['male', 'female']"))
    assert isinstance(constraint, Monotone)
    assert constraint.states == ("male", "female")


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("probability", f"{CAUSE}at_most = 0.5\ngiven = {{ calf_pain = false }}"),
        ("probability", f"{CAUSE}at_most = 0.5\ngiven = {{ calf_pain = true }}"),
        ("probability", f"{CAUSE}at_most = 0.5\ngiven = 'not calf_pain'"),
        ("must_not_raise", f"{CAUSE}of = 'redness or calf_pain'"),
        ("frequencies", f"{CAUSE}within_factor = 2\nof = {{ calf_pain = 0.5 }}"),
        ("rule", "rule = 'sudden_loss_of_blood_supply'\nat_least = 'emergency'\npictures = [['calf_pain', 'sudden_onset']]"),
    ],
)
def test_the_complaint_is_what_everybody_has(tmp_path: Path, kind: str, body: str) -> None:
    (told,) = faults(tmp_path, of_kind(kind, body))
    assert "'calf_pain' is the complaint, which every patient has; leave it out" in told


def test_anything_is_all_that_is_not_spoken_of(tmp_path: Path) -> None:
    everything = {*(f.id for f in NETWORK.knowledge.findings), *NETWORK.risk_index} - {NETWORK.knowledge.complaint}
    scope = read(tmp_path, f'{PROBABILITY}scope = "anything"').scope
    assert set(scope) == everything - {"unilateral_calf_swelling", "age", "sex"}
    denying = read(tmp_path, f'{PROBABILITY}scope = "anything"\nno_red_flags = true')
    assert set(denying.scope) == everything - {"unilateral_calf_swelling", "age", "sex"} - set(denying.denied)
