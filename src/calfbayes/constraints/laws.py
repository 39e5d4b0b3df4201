"""Constraints that need no search, since a law of this class of networks settles them for every patient at once.

- A finding that one cause alone brings about, with a background that no risk factor moves, multiplies the odds of that
  cause by (1 - (1 - w)(1 - leak)) / leak when present and by 1 - w when absent, whatever else is known.
- A finding that nothing but its own background brings about changes no cause.
- A red-flag rule speaks of what is present only, so what is learnt besides cannot undo it.

The first two speak of a finding that is news: they say nothing of patients who are selected by it.
"""

from math import inf

import numpy as np

from calfbayes.constraints.beliefs import names_of
from calfbayes.constraints.terms import Constraint, LikelihoodRatio, Moves, Selection, Takes, UrgencyIs
from calfbayes.diagnosis.rules import holds
from calfbayes.errors import ContradictionError
from calfbayes.evidence import implied_by, read_evidence
from calfbayes.inference.tables import expit_pair
from calfbayes.knowledge.terms import Level
from calfbayes.network import Network


def law_for(network: Network, constraint: Constraint) -> str:
    """The law by which a constraint holds for all its patients, in words; empty if none is known.

    Of a likelihood ratio it says what the ratio is for all of them, not that it lies within the bounds.
    """
    if isinstance(constraint, UrgencyIs):
        return _rules(network, constraint)
    if not isinstance(constraint, Moves | LikelihoodRatio | Takes):
        return ""
    spoken_of = {name for selection in constraint.whom for name in names_of(network, selection)}
    if not constraint.of.answers or any(
        name in spoken_of or name not in network.node_index for name, _ in constraint.of.answers
    ):
        return ""
    return _movement(network, constraint) if isinstance(constraint, Moves) else _ratio(network, constraint)


def odds_ratio(network: Network, finding: str, cause: str, *, present: bool) -> float | None:
    """By how much the first law multiplies the odds of a cause; None where it does not apply."""
    node = network.nodes[network.node_index[finding]]
    parents = [(network.nodes[parent].id, w) for parent, w in node.parents if w > 0]
    if len(parents) != 1 or parents[0][0] != cause or node.odds or _has_logic(network, finding):
        return None
    w = parents[0][1]
    leak, no_leak = (float(p) for p in expit_pair(np.array(node.base_logit)))
    if not present:
        return 1 - w
    return (1 - (1 - w) * no_leak) / leak if leak > 0 else inf


def _movement(network: Network, constraint: Moves) -> str:
    signs = dict(constraint.of.answers)
    if constraint.compared_with != Selection():
        return ""
    if constraint.times.low <= 1 <= constraint.times.high and all(_comes_by_itself(network, name) for name in signs):
        return f"no path leads to {' or '.join(signs)}, so it changes no cause"
    if len(signs) > 1 or len(constraint.targets) > 1 or constraint.times.low > 0:
        return ""  # whether a demanded movement is seen depends on who else is known: a cause that is certain cannot rise
    ((name, present),) = signs.items()
    (target,) = constraint.targets
    ratio = odds_ratio(network, name, target[0], present=bool(present)) if len(target) == 1 else None
    if ratio is None:
        return ""
    moves_away = ratio <= 1 if constraint.upward else ratio >= 1
    return _odds_law(name, target[0], ratio, present=bool(present)) if moves_away else ""


def _ratio(network: Network, constraint: LikelihoodRatio | Takes) -> str:
    signs = dict(constraint.of.answers)
    if len(signs) != 1 or len(constraint.causes) != 1 or (isinstance(constraint, LikelihoodRatio) and constraint.against):
        return ""
    ((name, present),) = signs.items()
    ratio = odds_ratio(network, name, constraint.causes[0], present=bool(present))
    return "" if ratio is None else _odds_law(name, constraint.causes[0], ratio, present=bool(present))


def _rules(network: Network, constraint: UrgencyIs) -> str:
    if constraint.most != Level.EMERGENCY or constraint.outcome or constraint.given.expression:
        return ""
    fired: dict[str, None] = {}
    for sign in constraint.each_of or ("",):
        answers = {**dict(constraint.given.answers), **({sign: True} if sign else {})}
        try:
            evidence = read_evidence(network, answers, setting=constraint.setting)
        except ContradictionError:
            return ""
        firing = [r for r in network.knowledge.urgency.rules if r.level >= constraint.least and holds(r.condition, evidence)]
        if not firing:
            return ""
        fired.setdefault(firing[0].id)
    rules = ", ".join(fired)
    return f"a red-flag rule that holds ({rules}) sets the level, and what is learnt besides cannot undo it"


def _odds_law(name: str, cause: str, ratio: float, *, present: bool) -> str:
    sign = name if present else f"no {name}"
    effect = f"multiplies its odds by exactly {ratio:.3g}" if ratio < inf else "makes it certain"
    return f"only {cause} brings {name} about, so {sign} {effect}, whatever else is known"


def _comes_by_itself(network: Network, finding: str) -> bool:
    """Say whether nothing brings a finding about, not even a mechanism: of that, its other findings tell."""
    node = network.nodes[network.node_index[finding]]
    driven = finding == network.nodes[network.complaint].id or node.odds or any(w > 0 for _, w in node.parents)
    return not driven and not _has_logic(network, finding)


def _has_logic(network: Network, finding: str) -> bool:
    """Say whether the finding implies, excludes or is implied by another, so that it may be silent in the evidence."""
    present, absent = implied_by(network, finding)
    return bool(present or absent) or any(finding in implied_by(network, f.id)[0] for f in network.knowledge.findings)
