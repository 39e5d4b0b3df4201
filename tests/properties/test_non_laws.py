"""What sounds like a law and is none: one counterexample each, small enough to follow.

Most are explaining away: what makes a competitor more probable makes a cause less needed.
"""

from typing import Any

import pytest

from calfbayes import Level, Model
from support.editing import with_link
from support.models import model_of
from support.queries import ABSENT, PRESENT, Query
from support.small_models import small_content


def probability(model: Model, cause: str, **evidence: Any) -> float:
    return model.diagnose(evidence)[cause].probability


def test_a_present_finding_need_not_raise_every_cause_it_links_to() -> None:
    """Nine in ten with the strong cause have it, one in ten with the weak one: the strong one explains it, and the pain."""
    model = model_of(small_content({"weak": (1, {"sign": 0.1}), "strong": (1, {"sign": 0.9})}, {"sign": 0.01}))
    assert probability(model, "weak") == pytest.approx(0.6)
    assert probability(model, "weak", sign=True) < 0.4
    assert probability(model, "strong", sign=True) > 0.9


def test_an_absent_finding_need_not_lower_every_cause_it_links_to() -> None:
    """Its absence all but clears the strong cause; the pain then needs the weak one."""
    model = model_of(small_content({"weak": (1, {"sign": 0.1}), "strong": (1, {"sign": 0.9})}, {"sign": 0.01}))
    assert probability(model, "weak", sign=False) > 0.9
    assert probability(model, "strong", sign=False) < 0.2


def test_raising_the_share_of_a_cause_need_not_raise_it() -> None:
    """More of one cause, and as much of the others, means that more causes come together, so that all bases rise.

    Two signs are explained by one cause of both or by the coincidence of two others. From shares of 0.35 each to 0.40, 0.35,
    0.35 the bases nearly double, and what needs two causes at once becomes nearly four times as probable.
    """
    links = {"both": {"sign": 0.5, "mark": 0.5}, "first": {"sign": 0.9}, "second": {"mark": 0.9}}
    leaks = {"sign": 0.001, "mark": 0.001}

    def with_share(share: float) -> Model:
        shares = {"both": share, "first": 0.35, "second": 0.35}
        causes = {name: (shares[name], links[name]) for name in shares}
        return model_of(small_content(causes, leaks, coincidence=sum(shares.values()) - 1))

    before, after = with_share(0.35), with_share(0.40)
    assert probability(before, "both") == pytest.approx(0.35)
    assert probability(after, "both") == pytest.approx(0.40)
    seen = {"sign": True, "mark": True}
    assert probability(after, "both", **seen) < probability(before, "both", **seen) - 0.03


@pytest.mark.parametrize("report", [PRESENT, ABSENT])
def test_raising_the_link_of_a_mechanism_to_a_finding_need_not_raise_the_causes_above(report: tuple[float, float]) -> None:
    """A present finding then speaks more for the mechanism, which the strong cause explains; an absent one more against it."""
    causes = {"weak": (1.0, {"process": 0.1}), "strong": (1.0, {"process": 0.9})}
    model = model_of(small_content(causes, {"sign": 0.1}, mechanisms={"process": {"sign": 0.4}}))
    network, logits = model._solved.network, model._solved.bases["here"].logits
    name = network.node_index
    edited = with_link(network, name["process"], name["sign"], 0.8)
    loser = name["weak"] if report == PRESENT else name["strong"]
    before = Query(network, logits, (), {name["sign"]: report}).posterior()
    after = Query(edited, logits, (), {name["sign"]: report}).posterior()
    assert after.hidden[loser] < before.hidden[loser] - 0.02


def test_adding_a_red_flag_finding_may_lower_the_level_of_the_model_but_not_the_level() -> None:
    """The flag is seen far more often with the harmless cause and explains the danger away; its rule stands none the less."""
    model = model_of(
        small_content(
            {"harmless": (1, {"flag": 0.9}), "dangerous": (1, {"flag": 0.01})},
            {"flag": 0.001},
            coincidence=0.02,
            levels={"harmless": "self_care", "dangerous": "emergency"},
            rules={"seen": ("same_day", "flag")},
        )
    )
    before, after = model.diagnose({}).urgency, model.diagnose({"flag": True}).urgency
    assert before.model_level == Level.EMERGENCY
    assert after.model_level == Level.WITHIN_DAYS
    assert after.level == Level.SAME_DAY
