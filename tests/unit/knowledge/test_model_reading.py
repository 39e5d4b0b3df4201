"""The digest names the content: it does not depend on how a file is written, and does on everything it says."""

import copy
import shutil
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from calfbayes import ModelFileError, load_model
from calfbayes.knowledge.reading import digest_of, knowledge_from_content, knowledge_from_folder

BASE = Path(__file__).parent.parent / "bad_models" / "base"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(BASE, tmp_path / "model"))


def digest(folder: Path) -> str:
    return knowledge_from_folder(folder)[0].digest


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def backwards(value: Any) -> Any:
    """Nested tables with their keys in the opposite order; lists as they are."""
    if isinstance(value, list):
        return [backwards(inner) for inner in value]
    return {key: backwards(value[key]) for key in reversed(value)} if isinstance(value, dict) else value


def numbers(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of every number."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        yield from numbers(inner, (*place, key))
    if isinstance(value, int | float) and not isinstance(value, bool):
        yield place


def test_digest_is_that_of_the_content_alone(folder: Path) -> None:
    before = digest(folder)
    assert len(before) == 64
    edit(folder / "causes" / "clot.toml", 'label = "Clot"\n', '# a comment\nlabel   =   "Clot"\n\n')
    edit(folder / "causes" / "clot.toml", "value = 0.2,", "value = 0.20,")
    edit(folder / "findings.toml", "leak = { value = 0,", "leak = { value = 0.0,")
    edit(folder / "sources.toml", "[invented]\n", "[invented] # the only one\n")
    (folder / "README.md").write_text("not part of the model", encoding="utf-8")
    assert digest(folder) == before


def test_a_byte_order_mark_and_windows_line_ends_say_nothing(folder: Path) -> None:
    before = digest(folder)
    path = folder / "causes" / "clot.toml"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert digest(folder) == before


def test_digest_does_not_depend_on_the_order_of_keys() -> None:
    content = knowledge_from_folder(BASE)[1]
    assert list(backwards(content)) != list(content)
    assert digest_of(backwards(content)) == digest_of(content)


def test_digest_changes_with_every_number() -> None:
    content = knowledge_from_folder(BASE)[1]
    digests = {digest_of(content)}
    places = list(numbers(content))
    for place in places:
        changed = copy.deepcopy(content)
        holder: Any = changed
        for part in place[:-1]:
            holder = holder[part]
        holder[place[-1]] += 0.001
        digests.add(digest_of(changed))
    assert len(places) > 100
    assert len(digests) == len(places) + 1


def test_digest_changes_with_words(folder: Path) -> None:
    before = digest(folder)
    edit(folder / "findings.toml", '"Is the skin red?"', '"Is the skin reddened?"')
    assert digest(folder) != before


def test_digest_does_not_depend_on_where_the_model_lies(folder: Path) -> None:
    assert digest(folder) == load_model(BASE).digest


def test_content_builds_the_same_records_again() -> None:
    knowledge, content = knowledge_from_folder(BASE)
    assert knowledge_from_content(content, name="again") == knowledge


def test_content_that_contradicts_itself_is_refused() -> None:
    content = copy.deepcopy(knowledge_from_folder(BASE)[1])
    del content["sources"]["invented"]
    with pytest.raises(ModelFileError) as caught:
        knowledge_from_content(content, name="orphan")
    assert caught.value.model == "orphan"
    assert {fault.problem for fault in caught.value.faults} == {"invented is not in sources.toml"}


def test_the_reference_state_takes_the_rest_of_a_prior() -> None:
    age = knowledge_from_folder(BASE)[0].risk_factors[0]
    assert age.prior[0].probabilities == pytest.approx((0.3, 0.4, 0.3))
    assert age.prior[0].number.value == pytest.approx(0.6)


def test_a_prior_that_leaves_the_reference_state_nothing_is_not_refused_for_rounding(folder: Path) -> None:
    edit(folder / "risk_factors.toml", "{ young = 0.3, old = 0.3 }", "{ young = 0.9, old = 0.1 }")
    edit(folder / "risk_factors.toml", 'reference = "middle"', 'reference = "middle" # 1 - 0.9 - 0.1 is -2.8e-17')
    assert 1 - 0.9 - 0.1 < 0
    assert knowledge_from_folder(folder)[0].risk_factors[0].prior[0].probabilities == (0.9, 0.0, 0.1)


def test_faults_are_sorted_by_file_and_told_in_one_text(folder: Path) -> None:
    edit(folder / "urgency.toml", 'reason = "Clots are commoner in pregnancy."\n', "")
    edit(folder / "causes" / "cramp.toml", "pale_skin =", "pail_skin =")
    with pytest.raises(ModelFileError) as caught:
        load_model(folder)
    assert str(caught.value).splitlines() == [
        f"2 faults in model {folder}:",
        "  causes/cramp.toml: links.pail_skin: there is no pail_skin; nearest: pale_skin, pitting",
        "  urgency.toml: rules.pregnant.reason: is missing; add the key",
    ]


def test_optional_parts_may_be_left_out(folder: Path) -> None:
    edit(folder / "causes" / "varices.toml", line_of(folder / "causes" / "varices.toml", "swelling"), "")
    edit(folder / "causes" / "clot.toml", line_of(folder / "causes" / "clot.toml", "swelling"), "")
    edit(folder / "causes" / "clot.toml", line_of(folder / "causes" / "clot.toml", "lung_clot"), "")
    (folder / "mechanisms.toml").unlink()
    shutil.rmtree(folder / "complications")
    knowledge = knowledge_from_folder(folder)[0]
    assert knowledge.mechanisms == ()
    assert knowledge.complications == ()


def line_of(path: Path, key: str) -> str:
    """The line of a file that gives a key."""
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (line,) = [line for line in lines if line.startswith(f"{key} = ")]
    assert tomllib.loads(line)
    return line
