"""Reading the evidence table: every fault is named, with its line and column."""

from pathlib import Path

import pytest

from calfbayes import ModelFileError, NoSuchModelError
from calfbayes.audit.table import COLUMNS, FIGURES, POPULATIONS, find_tables, read_table
from support.models import shipped

NETWORK = shipped("tutorial")._solved.network
CAUSE, FINDING = NETWORK.nodes[0].id, "redness"
POPULATION = {
    "id": "some",
    "setting": NETWORK.knowledge.default_setting,
    "evidence": "pitting_oedema",
    "description": "the pitting_oedemaish",
}
ROW = {
    "id": "a_row",
    "kind": "sensitivity",
    "cause": CAUSE,
    "item": FINDING,
    "comparator": "",
    "population": "some",
    "value": "0.4",
    "low": "0.3",
    "high": "",
    "confidence": "verified",
    "citation": "Nobody 2020",
    "url": "",
    "reason": "",
    "reach": "",
}


def write(folder: Path, rows: list[dict[str, str]], populations: list[dict[str, str]]) -> Path:
    for file, lines in ((FIGURES, rows), (POPULATIONS, populations)):
        cells = [",".join(f'"{line[column]}"' for column in COLUMNS[file]) for line in lines]
        (folder / file).write_text("\n".join([",".join(COLUMNS[file]), *cells]) + "\n", encoding="utf-8")
    return folder


def faults(folder: Path) -> list[str]:
    with pytest.raises(ModelFileError) as error:
        read_table(NETWORK, folder)
    return [str(fault) for fault in error.value.faults]


def test_a_sound_table_is_read(tmp_path: Path) -> None:
    (figure,) = read_table(NETWORK, write(tmp_path, [ROW], [POPULATION]))
    assert (figure.causes, figure.item, figure.population.evidence, figure.value) == ((CAUSE,), FINDING, "pitting_oedema", 0.4)
    assert figure.low == 0.3
    assert figure.high != figure.high
    assert (figure.reason, figure.reach) == ("", 1)
    (figure,) = read_table(NETWORK, write(tmp_path, [{**ROW, "reason": "a spectrum", "reach": "0.25"}], [POPULATION]))
    assert (figure.reason, figure.reach) == ("a spectrum", 0.25)


def test_several_causes_count_as_one(tmp_path: Path) -> None:
    causes = [NETWORK.nodes[k].id for k in list(NETWORK.causes)[:2]]
    (figure,) = read_table(NETWORK, write(tmp_path, [{**ROW, "cause": " or ".join(causes)}], [POPULATION]))
    assert figure.causes == tuple(causes)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"kind": "sensibility"}, "line 2, kind: 'sensibility' is unknown"),
        ({"cause": "redness"}, "line 2, cause: 'redness' is no cause"),
        ({"cause": ""}, "line 2, cause: '' does not fit"),
        ({"kind": "item_frequency"}, f"line 2, cause: '{CAUSE}' does not fit"),
        ({"kind": "prevalence"}, "line 2, item: 'redness' does not fit"),
        ({"item": ""}, "line 2, item: is empty"),
        ({"item": "redness and"}, "line 2, item: 'redness and' cannot be"),
        ({"kind": "co_occurrence"}, "line 2, item: 'redness' is no cause"),
        ({"kind": "background", "cause": "", "item": "smoking"}, "line 2, item: 'smoking' is no finding"),
        ({"comparator": CAUSE}, f"line 2, comparator: '{CAUSE}' does not fit"),
        ({"kind": "lr_positive", "comparator": "pitting_oedema"}, "line 2, comparator: 'pitting_oedema' is no cause"),
        ({"kind": "odds_ratio", "comparator": "pitting_odema"}, "line 2, comparator: pitting_odema cannot be"),
        ({"population": "others"}, "line 2, population: 'others' is not in populations.csv"),
        ({"value": "1"}, "line 2, value: '1' is no figure"),
        ({"value": "0"}, "line 2, value: '0' is no figure"),
        ({"value": "nan"}, "line 2, value: 'nan' is no figure"),
        ({"reason": "a spectrum", "reach": "far"}, "line 2, reach: 'far' is no ratio"),
        ({"reason": "a spectrum", "reach": "0"}, "line 2, reach: '0' is no ratio"),
        ({"reason": "a spectrum", "reach": "inf"}, "line 2, reach: 'inf' is no ratio"),
        ({"reason": "a spectrum", "reach": "1"}, "line 2, reach: '1' is no ratio"),
        ({"reach": "2"}, "line 2, reach: stands without a reason"),
        ({"value": "many"}, "line 2, value: 'many' is no figure"),
        ({"value": ""}, "line 2, value: '' is no figure"),
        ({"high": "1.2"}, "line 2, high: '1.2' is no figure"),
        ({"kind": "lr_positive", "value": "inf"}, "line 2, value: 'inf' is no figure"),
        ({"confidence": "sure"}, "line 2, confidence: 'sure' is unknown"),
        ({"citation": ""}, "line 2, citation: is empty"),
    ],
)
def test_a_fault_is_named_with_its_line_and_column(tmp_path: Path, changes: dict[str, str], named: str) -> None:
    found = faults(write(tmp_path, [{**ROW, **changes}], [POPULATION]))
    assert any(named in fault for fault in found), found


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"setting": "moon"}, "line 2, setting: 'moon' is no care setting"),
        ({"evidence": "pitting_odema"}, "line 2, evidence: pitting_odema cannot be"),
    ],
)
def test_a_population_is_checked_as_well(tmp_path: Path, changes: dict[str, str], named: str) -> None:
    found = faults(write(tmp_path, [ROW], [{**POPULATION, **changes}]))
    assert any(f"populations.csv: {named}" in fault for fault in found), found


def test_all_faults_are_named_at_once(tmp_path: Path) -> None:
    found = faults(write(tmp_path, [ROW, ROW, {**ROW, "id": "other", "value": "2"}], [POPULATION, POPULATION]))
    assert len(found) == 3


def test_other_columns_are_refused(tmp_path: Path) -> None:
    write(tmp_path, [ROW], [POPULATION])
    (tmp_path / POPULATIONS).write_text("id,setting\nsome,here\n", encoding="utf-8")
    assert "populations.csv: line 1: has other columns than the format" in faults(tmp_path)[0]


def test_a_row_with_too_few_cells_is_named(tmp_path: Path) -> None:
    write(tmp_path, [ROW], [POPULATION])
    with (tmp_path / FIGURES).open("a", encoding="utf-8") as stream:
        stream.write("alone\n")
    assert any("evidence.csv: line 3: has too few or too many cells" in fault for fault in faults(tmp_path))


def test_a_file_that_is_no_text_is_named(tmp_path: Path) -> None:
    write(tmp_path, [ROW], [POPULATION])
    (tmp_path / FIGURES).write_bytes(b"\xff\xfe\x00")
    assert "evidence.csv: cannot be read" in faults(tmp_path)[0]


def test_a_model_without_a_table_is_told_apart_from_a_wrong_table(tmp_path: Path) -> None:
    with pytest.raises(NoSuchModelError, match=r"evidence\.csv"):
        find_tables(tmp_path)
    assert find_tables(write(tmp_path, [ROW], [POPULATION])) == tmp_path
