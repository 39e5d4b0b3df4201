"""An expression against Python's own reading of the same text, over every patient that it can tell apart."""

from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import ArgumentError
from calfbayes.audit.expression import Expression, both, parse
from calfbayes.evidence import Value
from calfbayes.knowledge.terms import RiskFactor
from support.models import shipped

NETWORK = shipped("tutorial")._solved.network
CONDITIONS = [
    "smoking",
    "recent_surgery",
    "redness",
    "pitting_oedema",
    "leg_weakness",
    "sex == male",
    "age >= 40",
    "40 <= age < 60",
    "60 > age",
    "age == 60",
]


def holds(expression: Expression, patient: dict[str, Value]) -> bool:
    """What Python says: a banded number stands for its band's lower bound, a state for itself."""
    values: dict[str, object] = {state: state for state in NETWORK.risks[NETWORK.risk_index["sex"]].states}
    for name, value in patient.items():
        record = NETWORK.records[name]
        if isinstance(record, RiskFactor) and record.lower_bounds:
            values[name] = record.lower_bounds[record.states.index(str(value))]
        else:
            values[name] = value
    return bool(eval(expression.text, {}, values))


def patients(expression: Expression) -> list[dict[str, Value]]:
    return [dict(zip(expression.choices, answers, strict=True)) for answers in product(*expression.choices.values())]


def fits(piece: dict[str, bool | str], patient: dict[str, Value]) -> bool:
    return all(patient[name] == value for name, value in piece.items())


@st.composite
def texts(draw: st.DrawFn, depth: int = 3) -> str:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from(CONDITIONS))
    parts = draw(st.lists(texts(depth - 1), min_size=1, max_size=3))
    shape = draw(st.sampled_from(["and", "or", "not", "score"]))
    if shape == "not":
        return f"(not ({parts[0]}))"
    if shape == "score":
        points = [draw(st.integers(-2, 3)) for _ in parts]
        terms = " + ".join(f"{n} * ({part})" for n, part in zip(points, parts, strict=True))
        return f"({terms} {draw(st.sampled_from(['>=', '<=', '<', '>', '==']))} {draw(st.integers(-2, 4))})"
    return "(" + f" {shape} ".join(parts) + ")"


@given(texts())
def test_the_pieces_are_disjoint_and_hold_for_the_same_patients(text: str) -> None:
    expression = parse(NETWORK, text)
    for patient in patients(expression):
        matching = [piece for piece in expression.pieces if fits(piece, patient)]
        assert len(matching) == holds(expression, patient)


def test_a_condition_of_one_finding_is_one_piece() -> None:
    assert parse(NETWORK, "redness").pieces == ({"redness": True},)
    assert parse(NETWORK, "redness and not pitting_oedema").pieces == ({"redness": True, "pitting_oedema": False},)


def test_a_number_stands_for_its_band_as_it_does_in_a_table() -> None:
    assert parse(NETWORK, "age == 70.5").pieces == ({"age": "age_60_79"},)
    with pytest.raises(ArgumentError, match=r"age against 500"):
        parse(NETWORK, "age == 500")


@pytest.mark.parametrize("text", ["{sum} >= 15", "{sum} >= 15 and {sum} < 15"])
def test_an_expression_that_splits_into_too_many_pieces_is_refused(text: str) -> None:
    """Untrusted text; the second one has no piece at all, and would take as long to find out."""
    network = shipped("calf")._solved.network
    names = [network.nodes[k].id for k in network.findings if k != network.complaint]
    with pytest.raises(
        ArgumentError, match="an expression of 30 ids that needs more than 5000 cases cannot be; expected fewer"
    ):
        parse(network, text.format(sum=" + ".join(names[:30])))


def test_an_alternative_is_split_so_that_nobody_counts_twice() -> None:
    assert parse(NETWORK, "redness or pitting_oedema").pieces == ({"redness": True}, {"redness": False, "pitting_oedema": True})


def test_the_empty_expression_holds_for_everyone() -> None:
    assert parse(NETWORK, " ").pieces == ({},)


def test_what_cannot_hold_has_no_pieces() -> None:
    assert parse(NETWORK, "redness and not redness").pieces == ()


def test_a_band_of_ages_takes_each_state_once() -> None:
    ages = [piece["age"] for piece in parse(NETWORK, "60 <= age").pieces]
    assert ages == [s for s in NETWORK.risks[NETWORK.risk_index["age"]].states if s >= "age_60"]


def test_two_expressions_hold_together_whatever_their_operators() -> None:
    together = both(NETWORK, "redness or pitting_oedema", "smoking or recent_surgery")
    assert all(len({"redness", "pitting_oedema"} & piece.keys()) for piece in together.pieces)
    assert {tuple(piece.items()) for piece in both(NETWORK, "", "redness").pieces} == {(("redness", True),)}


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("redness and", "redness and"),
        ("rednes", "rednes"),
        ("deep_vein_thrombosis", "deep_vein_thrombosis"),
        ("age", "age"),
        ("age >= 65", "age against 65"),
        ("age > 60", "age against 60"),
        ("sex == 1", "sex against 1"),
        ("sex == other", "sex against other"),
        ("redness ** 2", "redness ** 2"),
        ("redness is pitting_oedema", "redness is pitting_oedema"),
        ("__import__('os')", "__import__('os')"),
        ("redness.real", "redness.real"),
        ("'text'", "'text'"),
        ("True", "True"),
        ("(" * 500 + "redness" + ")" * 500, "(((("),
        ("not " * 450 + "redness", "nested"),
        ("redness >= " + "9" * 400, "999"),
        ("redness + " * 300, "characters"),
    ],
)
def test_anything_else_is_refused_with_what_was_given(text: str, named: str) -> None:
    with pytest.raises(ArgumentError) as error:
        parse(NETWORK, text).pieces  # noqa: B018  the pieces are made when they are asked for
    assert named in str(error.value)
