"""Tables: rows equal single calls, cells mean what they say, and what they cannot mean is refused by row and column."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from calfbayes import ArgumentError, CalfBayesError, ContradictionError, EvidenceError, Likelihood, UnknownNameError, load_model
from calfbayes.adapters.dataframes import diagnose_frame
from support.models import random_model

CAR = load_model(Path(__file__).parents[2] / "cli" / "car")
CAUSES = [cause.id for cause in CAR.causes]
MISSING = [None, np.nan, float("nan"), pd.NA, pd.NaT, ""]


def answers(df: pd.DataFrame, setting: str | None = None) -> pd.DataFrame:
    return diagnose_frame(CAR._solved, df, setting=setting)


def same(one: pd.DataFrame, other: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(one, other, check_exact=True)


def equals_single_call(row: "pd.Series[Any]", evidence: dict[str, Any], setting: str | None = None) -> None:
    result = CAR.diagnose(evidence, setting=setting)
    assert row["outcome"] == result.outcome
    assert row["urgency"] == result.urgency.level
    assert row["log_evidence"] == result.log_evidence
    assert {name: row[name] for name in CAUSES} == {entry.id: entry.probability for entry in result.causes}


def test_rows_equal_single_calls() -> None:
    rows: list[dict[str, Any]] = [
        {"lights_dim": True, "smoke": False, "mileage": 60, "fuel": "diesel", "cold_night": True},
        {"lights_dim": False, "smell_of_fuel": True, "mileage": 160.5},
        {"clicking": Likelihood(4.0), "fuel": "battery_only"},
        {},
        {"does_not_start": True, "cold_night": False},
        {"lights_dim": True, "smoke": False, "mileage": 60, "fuel": "diesel", "cold_night": True},
    ]
    table = answers(pd.DataFrame(rows, index=list("abcdef")), setting="garage")
    assert list(table.index) == list("abcdef")
    assert list(table.columns) == ["outcome", "urgency", "log_evidence", *CAUSES]
    for (_, row), evidence in zip(table.iterrows(), rows, strict=True):
        equals_single_call(row, evidence, "garage")


@given(st.data())
def test_rows_of_random_models_equal_single_calls(data: st.DataObject) -> None:
    model = random_model(data.draw(st.integers(0, 3)))
    ids = [finding.id for finding in model.findings if finding.id != "complaint"]
    cells = st.sampled_from([True, False, None, np.True_, 0.0, 1, "", np.nan])
    rows = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(ids, cells)), min_size=1, max_size=3))
    table = diagnose_frame(model._solved, pd.DataFrame(rows, dtype=object))
    for position, row in enumerate(rows):
        given = {name: bool(value) for name, value in row.items() if value in {True, False}}
        result = model.diagnose(given)
        assert table["log_evidence"].iloc[position] == result.log_evidence
        assert all(table[entry.id].iloc[position] == entry.probability for entry in result.causes)


@pytest.mark.parametrize("column", ["lights_dim", "cold_night", "mileage", "fuel", "setting"])
def test_every_kind_of_missing_cell_is_never_asked(column: str) -> None:
    table = answers(pd.DataFrame({column: pd.Series(MISSING, dtype=object), "clicking": True}))
    for _, row in table.iterrows():
        equals_single_call(row, {"clicking": True})


@pytest.mark.parametrize(
    "make",
    [
        lambda: pd.Series([True, False, True], dtype=bool),
        lambda: pd.Series([True, False, True], dtype="boolean"),
        lambda: pd.Series([True, False, True], dtype=object),
        lambda: pd.Series([np.True_, np.False_, np.True_], dtype=object),
        lambda: pd.Series([1, 0, 1], dtype="int8"),
        lambda: pd.Series([1, 0, 1], dtype="Int64"),
        lambda: pd.Series([1.0, 0.0, 1.0], dtype="float32"),
        lambda: pd.Series([1.0, -0.0, 1.0], dtype="Float64"),
        lambda: pd.Series([True, False, True], dtype="category"),
    ],
)
@pytest.mark.parametrize("column", ["lights_dim", "cold_night"])
def test_yes_and_no_in_every_type_of_column(make: Callable[[], "pd.Series[Any]"], column: str) -> None:
    same(answers(pd.DataFrame({column: make()})), answers(pd.DataFrame({column: [True, False, True]})))


def test_gaps_turn_yes_and_no_into_numbers_and_numbers_back() -> None:
    gappy = pd.DataFrame({"lights_dim": [1.0, np.nan, 0.0]})
    nullable = pd.DataFrame({"lights_dim": pd.array([True, None, False], dtype="boolean")})
    same(answers(gappy), answers(nullable))


def test_states_of_a_yes_or_no_factor_may_be_written_out() -> None:
    same(answers(pd.DataFrame({"cold_night": ["present", "absent"]})), answers(pd.DataFrame({"cold_night": [True, False]})))


def test_numbers_and_states_in_every_type_of_column() -> None:
    reference = answers(pd.DataFrame({"mileage": [0, 1], "fuel": ["petrol", "diesel"]}))  # 1 is a number here, not a yes
    assert reference["flat_battery"].iloc[0] == CAR.diagnose({"mileage": 0, "fuel": "petrol"})["flat_battery"].probability
    for kind in ("int16", "Int64", "float64", "Float64", object):
        frame = pd.DataFrame(
            {"mileage": pd.Series([0, 1], dtype=kind), "fuel": pd.Series(["petrol", "diesel"], dtype="category")}
        )
        same(answers(frame), reference)


def test_a_column_of_settings_goes_before_the_argument() -> None:
    df = pd.DataFrame({"lights_dim": True, "setting": ["garage", "roadside", None]})
    table = answers(df, setting="garage")
    for (_, row), setting in zip(table.iterrows(), ["garage", "roadside", "garage"], strict=True):
        equals_single_call(row, {"lights_dim": True}, setting)


@pytest.mark.parametrize(
    ("column", "value"),
    [("lights_dim", value) for value in ["yes", "True", " ", 2, 0.5, -1, np.inf, "present", [True], pd.Timestamp(0), 1j]]
    + [("cold_night", value) for value in ["yes", 2, 0.5, "petrol"]]
    + [("mileage", value) for value in ["60", True, -1, 1001, np.inf, "new"]]
    + [("fuel", value) for value in ["", "vodka", 1, True]][1:],
)
def test_what_a_cell_cannot_mean_is_refused_by_row_and_column(column: str, value: object) -> None:
    df = pd.DataFrame({column: pd.Series([None, value], index=["first", "second"], dtype=object), "clicking": True})
    with pytest.raises(EvidenceError) as caught:
        answers(df)
    assert caught.value.name == f"row 'second', column {column}"
    assert "row 'second'" in str(caught.value)


def test_a_setting_that_is_none_is_refused_by_row() -> None:
    with pytest.raises(UnknownNameError, match=r"row 1: setting .*moon"):
        answers(pd.DataFrame({"setting": ["garage", "moon"]}))
    with pytest.raises(UnknownNameError, match=r"row 1: setting .*3"):
        answers(pd.DataFrame({"setting": pd.Series(["garage", 3], dtype=object)}))
    with pytest.raises(UnknownNameError, match="moon"):
        answers(pd.DataFrame({"lights_dim": [True]}), setting="moon")


def test_unknown_columns_are_refused_even_if_empty() -> None:
    with pytest.raises(UnknownNameError) as caught:
        answers(pd.DataFrame({"light_dim": [None]}))
    assert "lights_dim" in caught.value.nearest
    with pytest.raises(EvidenceError, match="flat_battery"):
        answers(pd.DataFrame({"flat_battery": [None]}))
    with pytest.raises(ArgumentError):
        answers(pd.DataFrame({3: [True]}))


def test_a_column_that_stands_twice_is_refused() -> None:
    df = pd.DataFrame([[True, False]], columns=["smoke", "smoke"])
    with pytest.raises(ArgumentError, match="'smoke' twice"):
        answers(df)


@pytest.mark.parametrize("table", [None, [{"smoke": True}], {"smoke": [True]}, pd.Series([True], name="smoke")])
def test_what_is_no_table_is_refused(table: Any) -> None:
    with pytest.raises(ArgumentError, match="pandas DataFrame"):
        answers(table)


def test_an_impossible_row_is_named_with_its_clash() -> None:
    model = random_model(0)
    broken = [finding.id for finding in model.findings if finding.id != "complaint"][:2]
    row = {"fuel": "battery_only", "mileage": 10}
    assert answers(pd.DataFrame([row]))["empty_tank"].iloc[0] == 0
    excluded = _with_exclusion(*broken)
    df = pd.DataFrame({broken[0]: [True, True], broken[1]: [False, True]}, index=["fine", "odd"])
    with pytest.raises(ContradictionError, match="row 'odd'") as caught:
        diagnose_frame(excluded, df)
    assert set(caught.value.clash) == set(broken)


def _with_exclusion(one: str, other: str) -> Any:
    """A random model in which two findings cannot both be present."""
    from copy import deepcopy

    from support.models import model_of

    content = deepcopy(random_model(0)._content)
    content["findings"][one]["excludes"] = [other]
    return model_of(content)._solved


def test_a_row_without_probabilities_has_gaps_and_its_level() -> None:
    table = answers(pd.DataFrame({"does_not_start": [False, True], "smoke": True}))
    assert list(table["urgency"]) == ["emergency", "emergency"]
    assert list(table["outcome"]) == ["outside_scope", "assessed"]
    assert table.iloc[0][["log_evidence", *CAUSES]].isna().all()
    assert table.iloc[1].notna().all()


def test_an_empty_table_has_the_same_columns_and_types() -> None:
    some = answers(pd.DataFrame({"smoke": [True]}))
    none = answers(pd.DataFrame({"smoke": pd.Series([], dtype=bool)}))
    assert len(none) == 0
    assert none.dtypes.equals(some.dtypes)


def test_any_index_is_kept_and_the_table_is_not_touched() -> None:
    index = pd.MultiIndex.from_tuples([("a", 1), ("a", 1), ("b", 2)], names=["clinic", "day"])
    df = pd.DataFrame({"smoke": [True, None, False], "mileage": [1, 2, 3]}, index=index)
    before = df.copy(deep=True)
    assert answers(df).index.equals(index)
    same(df, before)


cells = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.binary(max_size=3))


@given(st.dictionaries(st.sampled_from([*CAUSES, "smoke", "mileage", "fuel", "setting", ""]) | st.text(max_size=5), cells))
def test_any_table_ends_in_an_answer_or_a_typed_error(row: dict[str, Any]) -> None:
    df = pd.DataFrame({name: pd.Series([value], dtype=object) for name, value in row.items()}, index=[0])
    try:
        table = answers(df)
    except CalfBayesError:
        return
    assert table.notna().all(axis=None) or table["outcome"].iloc[0] == "outside_scope"
