"""The counted part of a card."""

from pathlib import Path

import pytest

from calfbayes import ArgumentError
from calfbayes.evaluation.card import with_counts, write_card
from calfbayes.knowledge.shipped import open_model

CAR = open_model(Path(__file__).parents[2] / "cli" / "car").knowledge
CARD = "# Car\nProse.\n<!-- counted: size -->\nold\n<!-- end -->\nMore prose.\n"


def test_only_what_stands_between_the_markers_is_written() -> None:
    card = with_counts(CARD, Path(), CAR)
    assert card.startswith("# Car\nProse.\n<!-- counted: size -->\n| part | count | of which |\n")
    assert card.endswith("|\n<!-- end -->\nMore prose.\n")
    assert "old" not in card
    assert with_counts(card, Path(), CAR) == card


def test_parts_are_counted() -> None:
    card = with_counts(CARD, Path(), CAR)
    assert "| causes | 3 | in " in card
    assert "| complications | 1 | burning engine |" in card
    assert f"| sources | {len(CAR.sources)} |" in card


def test_numbers_are_counted_by_kind() -> None:
    card = with_counts("<!-- counted: numbers -->\n<!-- end -->", Path(), CAR)
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in card.splitlines()[3:-1]]
    counts = {what: [int(cell) for cell in cells] for what, *cells in rows}
    assert all(sum(by_kind) == all_ for *by_kind, all_ in counts.values())
    assert counts["all"][-1] == sum(row[-1] for what, row in counts.items() if what != "all")
    assert counts["weights"][-1] == len(CAR.causes) * len(CAR.settings)
    assert counts["leaks"][-1] == len(CAR.complications) + len(CAR.mechanisms) + len(CAR.findings)


def test_every_cause_has_a_row() -> None:
    card = with_counts("<!-- counted: causes -->\n<!-- end -->", Path(), CAR)
    assert all(f"| {cause.label} | {cause.urgency} |" in card for cause in CAR.causes)


def test_tables_beside_the_model_are_counted(tmp_path: Path) -> None:
    (tmp_path / "coverage.csv").write_text(
        "fact,kind,status\nF1,red_flag,modelled\nF2,red_flag,declined\nF3,question,modelled\n", encoding="utf-8"
    )
    (tmp_path / "evidence.csv").write_text("id,confidence\n1,expert\n2,verified\n3,verified\n", encoding="utf-8")
    card = "<!-- counted: coverage -->\n<!-- end -->\n<!-- counted: figures -->\n<!-- end -->\n"
    counted = with_counts(card, tmp_path, CAR)
    assert "| question | 1 | 0 |\n| red flag | 1 | 1 |\n| all | 2 | 1 |\n" in counted
    assert "| verified | 2 |\n| expert | 1 |\n| all | 3 |\n" in counted


def test_planted_errors_are_counted_and_those_that_nobody_noticed_are_listed(tmp_path: Path) -> None:
    (tmp_path / "mutants.csv").write_text(
        "digest,seed,place,edit,influence,levels,noticed_by\n"
        "abc,0,findings.a.leak,0.1 became 0.3,0.030,0,constraint one\n"
        "abc,0,findings.b.leak,0.1 became 0.3,0.050,1,\n"
        "abc,0,causes.c.links.b,deleted,0.150,0,\n"
        "abc,0,urgency.rules.d,deleted,0.000,2,case E\n",
        encoding="utf-8",
    )
    card = with_counts("<!-- counted: mutants -->\n<!-- end -->", tmp_path, CAR)
    assert "| 4 | 2 (50 %, 95 % interval 15 to 85 %) | constraint 1, case 1 | 2 | abc |" in card
    lost = [line for line in card.splitlines() if line.startswith(("| causes.", "| findings."))]
    assert lost == ["| causes.c.links.b | deleted | 0.150 | 0 |", "| findings.b.leak | 0.1 became 0.3 | 0.050 | 1 |"]


def test_a_card_is_written_where_there_is_one(tmp_path: Path) -> None:
    assert write_card(tmp_path, CAR) is None
    (tmp_path / "README.md").write_text(CARD, encoding="utf-8")
    assert write_card(tmp_path, CAR) == tmp_path / "README.md"
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == with_counts(CARD, tmp_path, CAR)


def test_what_cannot_be_counted_is_refused() -> None:
    with pytest.raises(ArgumentError, match="weather"):
        with_counts("<!-- counted: weather -->\n<!-- end -->", Path(), CAR)
