"""What to ask next: what could reveal an emergency, then what is expected to spare most loss for its burden.

For each open question the engine tells how probable each answer is and what would follow from it (one batch). With L(a | e)
the expected loss of acting at level a, and a* the level given now,

    worth = sum over answers s of P(s) (L(a* | s) - min over levels a not below the rules that hold, of L(a | s))

which is the expected value of the answer: never negative, 0 if no answer would change the level. Rules are not part of
the loss. They count by the *danger* that a question could reveal: by how much the chance that a rule fires would fall if
this one were denied (`foresight`). Questions whose danger of an emergency is above the bound from which the model's file
calls an emergency possible come first. Before all stands a test whose negative result is not believed and that is done again:
the model cannot tell what it is worth, the model's file says when it is.

Only a shortlist is computed, what may matter by `relevance` and by the open rules. A batch that is too dear is halved.

References:
    Raiffa, Schlaifer (1961), Applied statistical decision theory: the expected value of sample information.
    Heckerman, Horvitz, Nathwani (1992), Toward normative expert systems I: asking by value of information.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from calfbayes.arguments import number, one_of, whole_number
from calfbayes.diagnosis.encoding import encode, says_nothing_if_absent
from calfbayes.diagnosis.foresight import Foresight, together
from calfbayes.diagnosis.policy import UrgencyPolicy
from calfbayes.diagnosis.relevance import relevance
from calfbayes.diagnosis.rules import could_hold, holds
from calfbayes.errors import QueryTooCostlyError
from calfbayes.evidence import Evidence
from calfbayes.inference.exact import COST_LIMIT
from calfbayes.inference.hypothetical import Outcomes, Supposed, given_each_answer
from calfbayes.inference.solved import severities
from calfbayes.inference.tables import Array
from calfbayes.knowledge.chances import in_words
from calfbayes.knowledge.terms import (
    Cause,
    Complication,
    Finding,
    Level,
    Observer,
    Repeat,
    RiskFactor,
    TestGuard,
    atoms,
)
from calfbayes.network import Network

if TYPE_CHECKING:
    from calfbayes.diagnosis.result import Diagnosis
    from calfbayes.diagnosis.urgency import OpenRule

SHORTLIST = 24  # candidates that the engine is asked about
TESTS = 6  # and so many tests more, which are dear and would not come in by what they are worth for their burden
OBJECTIVES = ("urgency", "cause")
ASKED = {"patient": Observer.PATIENT, "clinician": Observer.LABORATORY}
MOST_QUESTIONS = 1_000
NOTHING = 1e-12  # of the total loss or entropy: below it an answer changes nothing


@dataclass(frozen=True, slots=True)
class PossibleAnswer:
    """What would follow from one answer.

    Attributes:
        state: `absent` or `present` of a finding, or a state of a risk factor.
        chance: P(this answer | evidence).
        watched: P(the watched cause | evidence, this answer).
        level: The level that the result would have, rules included; doubt about the numbers counts as far as it does now.
    """

    state: str
    chance: float
    watched: float
    level: Level


@dataclass(frozen=True, slots=True, repr=False)
class NextQuestion:
    """A question, examination or test that may be worth its burden.

    Attributes:
        id: The finding or risk factor that it finds out.
        text: The question in words.
        burden: Effort to find out, at least 1.
        danger: Roughly the chance that its answer sets off an emergency rule that no other answer does.
        could_fire: Ids of the open rules above the level that it bears on, most urgent first.
        loss_reduction: Expected reduction of the urgency loss; None if there are no probabilities.
        level_bits: Expected reduction of the entropy of the level that is needed; None likewise.
        cause_bits: Expected reduction of the entropy of the causes, summed over them; None likewise.
        watched: Id of the cause or complication that the answer moves most, weighted by what missing it costs; or empty.
        answers: What would follow from each answer; empty without probabilities.
        reason: Why to ask, in words.
        note: What the model's file says of a test; may be empty.
        check_first: What is to be known before a test is done: it may forbid it, or make its negative result worthless.
        repeat: Whether this is a test that is done again.
    """

    id: str
    label: str
    text: str
    burden: float
    danger: float
    could_fire: tuple[str, ...]
    loss_reduction: float | None
    level_bits: float | None
    cause_bits: float | None
    watched: str
    answers: tuple[PossibleAnswer, ...]
    reason: str
    note: str
    check_first: tuple[str, ...]
    repeat: bool

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        from calfbayes.presentation.questions import question_text

        return question_text(self)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "id": self.id,
            "label": self.label,
            "text": self.text,
            "burden": self.burden,
            "danger": self.danger,
            "could_fire": list(self.could_fire),
            "loss_reduction": self.loss_reduction,
            "level_bits": self.level_bits,
            "cause_bits": self.cause_bits,
            "watched": self.watched,
            "answers": [
                {"state": a.state, "chance": a.chance, "watched": a.watched, "level": str(a.level)} for a in self.answers
            ],
            "reason": self.reason,
            "note": self.note,
            "check_first": list(self.check_first),
            "repeat": self.repeat,
        }


class NextQuestions(tuple[NextQuestion, ...]):  # noqa: SLOT001  a tuple cannot have slots and hold something besides
    """What to ask next, best first: a tuple that shows itself.

    Attributes:
        diagnosis: The result that it is about.
    """

    diagnosis: "Diagnosis"

    def __new__(cls, questions: Iterable[NextQuestion], diagnosis: "Diagnosis") -> Self:
        """Hold the questions together with the result."""
        self = super().__new__(cls, questions)
        self.diagnosis = diagnosis
        return self

    def __getnewargs__(self) -> tuple[tuple[NextQuestion, ...], "Diagnosis"]:
        return tuple(self), self.diagnosis

    def __repr__(self) -> str:
        from calfbayes.presentation.questions import questions_text

        return questions_text(self)

    def _repr_html_(self) -> str:
        from calfbayes.presentation.questions import questions_html

        return questions_html(self)


def next_questions(
    diagnosis: "Diagnosis", *, n: int, who: str, budget: float | None, objective: str, cost_limit: float = COST_LIMIT
) -> NextQuestions:
    """What to ask next, best first; see `Diagnosis.next_questions`."""
    n = whole_number("n", n, 1, MOST_QUESTIONS)
    one_of("who", who, ASKED)
    one_of("objective", objective, OBJECTIVES)
    if budget is not None:
        budget = number("budget", budget, "a number above 0, or None", lambda x: x > 0)
    panel = _Panel.of(diagnosis, ASKED[who])
    bound = panel.network.knowledge.advice.possible_above[Level.EMERGENCY.severity]
    names = panel.shortlist(objective)
    if objective == "urgency" and budget is None:
        names = panel.first_dangers(names, n, bound) or names
    questions = [panel.repeated(guard) for guard in panel.to_repeat()]
    questions += [panel.question(name, outcomes) for name, outcomes in panel.outcomes(names, cost_limit)]
    questions.sort(key=lambda question: _order(question, objective, bound))
    chosen: list[NextQuestion] = []
    left = float("inf") if budget is None else budget
    for question in questions:
        if len(chosen) < n and question.burden <= left and _is_worth(question, objective):
            chosen.append(question)
            left -= question.burden
    return NextQuestions(chosen, diagnosis)


def bearing_most(diagnosis: "Diagnosis", n: int) -> tuple[str, ...]:
    """Ids of what a patient could tell that bears most on what the model expects, found without asking the engine."""
    panel = _Panel.of(diagnosis, ASKED["patient"])
    names = [name for name in panel._candidates() if panel._may_be_proposed(name)]
    worth = dict(zip(names, relevance(panel.foresight, panel.stake, names), strict=True)) if names else {}
    return tuple(sorted(names, key=lambda name: (-worth[name], name))[:n])


def worth_by_rules(diagnosis: "Diagnosis") -> dict[str, float]:
    """What a patient could tell that bears on open rules, and the loss that it is expected to spare.

    Where a rule would hold its level is needed, and acting as now would cost what the table says. That counts as often as
    the rule's chance would fall if this were denied; of several rules the largest counts.
    """
    panel = _Panel.of(diagnosis, ASKED["patient"])
    row = panel.policy.loss[diagnosis.urgency.level.severity]
    names = dict.fromkeys(name for rule in diagnosis.urgency.open_rules for name in rule.ask)
    return {name: max(fall * row[rule.level.severity] for rule, fall in panel.falls[name]) for name in names}


def is_open(name: str, evidence: Evidence) -> bool:
    """Say whether a finding or risk factor has not been asked and does not follow from what was."""
    return name not in evidence and name not in evidence.surely_present and name not in evidence.surely_absent


def _order(question: NextQuestion, objective: str, bound: float) -> tuple[bool, float, float, float, str]:
    """Tests to be done again first; then dangerous questions by danger, the others by worth, per burden; ties by id."""
    if objective == "cause":
        return not question.repeat, 0.0, -(question.cause_bits or 0.0) / question.burden, 0.0, question.id
    danger = question.danger / question.burden
    worth = (question.loss_reduction or 0.0) / question.burden
    by_danger = (0.0, -danger, -worth) if question.danger > bound else (1.0, -worth, -danger)
    return not question.repeat, *by_danger, question.id


def _is_worth(question: NextQuestion, objective: str) -> bool:
    worth = question.cause_bits if objective == "cause" else question.loss_reduction
    return question.repeat or (objective == "urgency" and bool(question.could_fire)) or (worth or 0.0) > NOTHING


@dataclass(frozen=True)
class _Panel:
    """What is known of a patient, laid out for asking.

    Attributes:
        foresight: Rough chances of what was not asked.
        conditions: Posterior of each cause and complication now, by position; empty without probabilities.
        stake: What it costs, at the level given now, that each of them was missed.
        chances: Rough chance of every atom of the open rules.
    """

    diagnosis: "Diagnosis"
    network: Network
    policy: UrgencyPolicy
    most: Observer
    foresight: Foresight
    stake: Mapping[int, float]
    chances: Mapping[Any, float]

    @classmethod
    def of(cls, diagnosis: "Diagnosis", most: Observer) -> "_Panel":
        network = diagnosis._solved.network
        policy = diagnosis.urgency.policy
        known = diagnosis._hidden or diagnosis._solved.baseline[diagnosis.setting].hidden
        foresight = Foresight(network, diagnosis.evidence, known)
        row = policy.loss[diagnosis.urgency.level.severity]
        stake = {node: 1.0 + row[_condition(network, node).urgency.severity] for node in _conditions(network)}
        open_ids = {rule.id for rule in diagnosis.urgency.open_rules}
        chances = foresight.chances(rule.condition for rule in policy.rules if rule.id in open_ids)
        return cls(diagnosis, network, policy, most, foresight, stake, chances)

    def shortlist(self, objective: str) -> list[str]:
        """The candidates that may matter most, those that bear on open rules by their danger first."""
        names = [name for name in self._candidates() if self._may_be_proposed(name)]
        if not names:
            return []
        stake = self.stake if objective == "urgency" else dict.fromkeys(self.stake, 1.0)
        worth = dict(zip(names, relevance(self.foresight, stake, names) / [self._burden(x) for x in names], strict=True))
        danger = {name: self._danger(name) for name in names} if objective == "urgency" else {}
        dangerous = sorted(
            (name for name, fall in danger.items() if fall > 0), key=lambda name: (-danger[name] / self._burden(name), name)
        )[: SHORTLIST // 2]
        rest = sorted((name for name in names if name not in dangerous), key=lambda name: (-worth[name], name))
        listed = [*dangerous, *rest[: SHORTLIST - len(dangerous)]]
        return [*listed, *[name for name in rest if self._is_test(name) and name not in listed][:TESTS]]

    def first_dangers(self, names: Sequence[str], n: int, bound: float) -> list[str]:
        """Those of the names that come first whatever the others are worth, which then need not be computed; or none.

        They are the n most dangerous ones, with all that are as dangerous as the last, if so many are dangerous at all.
        """
        danger = {name: self._danger(name) / self._burden(name) for name in names if self._danger(name) > bound}
        if len(danger) < n:
            return []
        least = sorted(danger.values(), reverse=True)[n - 1]
        return [name for name, of in danger.items() if of >= least]

    def outcomes(self, names: Sequence[str], cost_limit: float) -> list[tuple[str, tuple[Supposed, ...]]]:
        """What would follow from each answer to each question; nothing where there are no probabilities.

        A batch that is too dear is halved, the less promising half without probabilities.
        """
        if not self.diagnosis._hidden:
            return [(name, ()) for name in names]
        computed: Outcomes | None = None
        count = len(names)
        while computed is None and count:
            try:
                computed = self._given_each(names[:count], cost_limit)
            except QueryTooCostlyError:
                count //= 2
        if computed is None:
            return [(name, ()) for name in names]
        return [(name, self._answers_of(name, computed) if place < count else ()) for place, name in enumerate(names)]

    def question(self, name: str, outcomes: Sequence[Supposed]) -> NextQuestion:
        """One question with what its answers are worth."""
        record = self.network.records[name]
        assert isinstance(record, Finding | RiskFactor)  # candidates are nothing else
        states = _states(record)
        possible = [(state, s) for state, s in zip(states, outcomes, strict=False) if s.chance > 0]
        guard = self._guard(name)
        if guard and says_nothing_if_absent(guard, self.diagnosis.evidence):
            possible = [(state, s) for state, s in possible if state == "present"]
        worth = self._worth([s for _, s in possible]) if outcomes else None
        watched = self._watched([s for _, s in possible])
        question = NextQuestion(
            id=name,
            label=record.label,
            text=record.question,
            burden=self._burden(name),
            danger=self._danger(name),
            could_fire=tuple(rule.id for rule, _ in self.falls.get(name, ())),
            loss_reduction=None if worth is None else worth[0],
            level_bits=None if worth is None else worth[1],
            cause_bits=None if worth is None else worth[2],
            watched="" if watched is None else _condition(self.network, watched).id,
            answers=tuple(self._answer(name, state, s, watched) for state, s in possible),
            reason="",
            note=guard.note if guard else "",
            check_first=self._check_first(guard),
            repeat=False,
        )
        return replace(question, reason=self._reason(question))

    def to_repeat(self) -> Iterable[tuple[TestGuard, Repeat]]:
        """The tests that came out negative and are not believed."""
        evidence = self.diagnosis.evidence
        for guard in self.network.knowledge.asking.tests:
            repeat = guard.repeat
            if repeat and evidence.get(guard.test) is False and self._probability(repeat.cause) > repeat.above:
                record = self.network.records[guard.test]
                if isinstance(record, Finding) and record.observer <= self.most:
                    yield guard, repeat

    def repeated(self, told: tuple[TestGuard, Repeat]) -> NextQuestion:
        """A test that is done again; the model cannot tell what a second result would be."""
        guard, repeat = told
        record = self.network.records[guard.test]
        assert isinstance(record, Finding)  # guards stand at findings
        return NextQuestion(
            id=record.id,
            label=record.label,
            text=record.question,
            burden=self._burden(record.id),
            danger=0.0,
            could_fire=(),
            loss_reduction=None,
            level_bits=None,
            cause_bits=None,
            watched=repeat.cause,
            answers=(),
            reason=repeat.text,
            note=guard.note,
            check_first=self._check_first(guard),
            repeat=True,
        )

    # --- candidates ---

    def _candidates(self) -> Iterable[str]:
        evidence, complaint = self.diagnosis.evidence, self.network.knowledge.complaint
        for finding in self.network.knowledge.findings:
            if finding.id != complaint and finding.observer <= self.most and is_open(finding.id, evidence):
                yield finding.id
        for factor in self.network.knowledge.risk_factors:
            if is_open(factor.id, evidence) and np.count_nonzero(self.foresight.of_states(factor.id)) > 1:
                yield factor.id

    def _may_be_proposed(self, name: str) -> bool:
        guard = self._guard(name)
        if guard is None:
            return True
        if guard.not_if is not None and holds(guard.not_if, self.diagnosis.evidence):
            return False
        return all(self._probability(cause) < bound for cause, bound in guard.only_below)

    def _is_test(self, name: str) -> bool:
        record = self.network.records[name]
        return isinstance(record, Finding) and record.kind == "test"

    def _guard(self, name: str) -> TestGuard | None:
        return next((guard for guard in self.network.knowledge.asking.tests if guard.test == name), None)

    def _check_first(self, guard: TestGuard | None) -> tuple[str, ...]:
        """What would forbid a test, or make its negative result worthless, and has not been asked."""
        grounds = (guard.not_if, guard.absent_says_nothing_if) if guard else ()
        evidence = self.diagnosis.evidence
        every = [atom for condition in grounds if condition is not None for atom in atoms(condition)]
        open_atoms = (atom for atom in every if could_hold(atom, evidence) and not holds(atom, evidence))
        return tuple(dict.fromkeys(atom.id for atom in open_atoms))

    def _probability(self, name: str) -> float:
        return self.foresight.hidden[self.network.node_index[name]]

    def _burden(self, name: str) -> float:
        record = self.network.records[name]
        return float(max(record.burden, 1)) if isinstance(record, Finding | RiskFactor) else 1.0

    # --- danger ---

    @cached_property
    def falls(self) -> "dict[str, list[tuple[OpenRule, float]]]":
        """By how much the chance of each open rule would fall if an item were denied; most urgent first, then by the fall."""
        of_rule = {rule.id: rule.condition for rule in self.policy.rules}
        falls: dict[str, list[tuple[OpenRule, float]]] = {}
        for rule in self.diagnosis.urgency.open_rules:
            condition = of_rule[rule.id]
            chances = {atom: self.chances[atom] for atom in atoms(condition)}
            now = together(condition, chances)
            for name in rule.ask:
                denied = {atom: 0.0 if atom.id == name else p for atom, p in chances.items()}
                falls.setdefault(name, []).append((rule, now - together(condition, denied)))
        for of_item in falls.values():
            of_item.sort(key=lambda one: (-one[0].level.severity, -one[1], one[0].id))
        return falls

    def _danger(self, name: str) -> float:
        """By how much the chance of an emergency rule would fall if this were denied, the largest of the rules."""
        return max((fall for rule, fall in self.falls.get(name, ()) if rule.level == Level.EMERGENCY), default=0.0)

    # --- worth ---

    def _given_each(self, names: Sequence[str], cost_limit: float) -> Outcomes:
        solved, network = self.diagnosis._solved, self.network
        numbers = network.numbers(solved.bases[self.diagnosis.setting].logits)
        return given_each_answer(
            network,
            numbers,
            encode(network, self.diagnosis.evidence),
            [network.node_index[name] for name in names if name in network.node_index],
            [network.risk_index[name] for name in names if name in network.risk_index],
            labels=severities(network),
            cost_limit=cost_limit,
        )

    def _answers_of(self, name: str, outcomes: Outcomes) -> tuple[Supposed, ...]:
        if name in self.network.node_index:
            return outcomes.findings[self.network.node_index[name]]
        return outcomes.risks[self.network.risk_index[name]]

    def _worth(self, answers: Sequence[Supposed]) -> tuple[float, float, float]:
        """Expected reductions of the loss, of the entropy of the level in bits, and of the entropies of the causes."""
        urgency = self.diagnosis.urgency
        nodes = list(self.network.causes)
        now = np.array([self.diagnosis._hidden[node] for node in nodes])
        deviations = urgency.doubt.deviations if urgency.doubt else ()
        loss = level_bits = cause_bits = 0.0
        for answer in answers:
            losses = self.policy.expected_losses(self.policy.cautious(answer.labels.tolist(), deviations))
            loss += answer.chance * (losses[urgency.level.severity] - min(losses[urgency.rules_level.severity :]))
            level_bits += answer.chance * _relative_entropy(answer.labels, np.array(urgency.level_probabilities))
            then = answer.hidden[nodes]
            cause_bits += answer.chance * float(np.sum(_relative(then, now) + _relative(1.0 - then, 1.0 - now)))
        return max(loss, 0.0), max(level_bits, 0.0), max(cause_bits, 0.0)

    def _watched(self, answers: Sequence[Supposed]) -> int | None:
        """The cause or complication that the answers move most, weighted by what missing it costs."""
        if not answers:
            return None
        moved = {
            node: stake * sum(s.chance * abs(float(s.hidden[node]) - self.foresight.hidden[node]) for s in answers)
            for node, stake in self.stake.items()
        }
        return max(moved, key=lambda node: (moved[node], -node))

    def _answer(self, name: str, state: str, supposed: Supposed, watched: int | None) -> PossibleAnswer:
        value = state == "present" if state in {"absent", "present"} else state
        after = self.diagnosis.evidence.with_({name: value})
        level = self.diagnosis.urgency.level_of(tuple(supposed.labels.tolist()), self._level_of_rules(after))
        return PossibleAnswer(state, supposed.chance, float(supposed.hidden[watched]) if watched is not None else 0.0, level)

    def _level_of_rules(self, after: Evidence) -> Level:
        """The level of the rules that would hold: those that do now, and of those that name something new."""
        before = self.diagnosis.evidence
        new = (after.surely_present - before.surely_present) | (after.risk_states.keys() - before.risk_states.keys())
        named = (rule for rule in self.policy.rules if not new.isdisjoint(self._ids_of[rule.id]))
        fired = (rule.level for rule in named if holds(rule.condition, after))
        return max((self.diagnosis.urgency.rules_level, *fired))

    @cached_property
    def _ids_of(self) -> dict[str, frozenset[str]]:
        return {rule.id: frozenset(atom.id for atom in atoms(rule.condition)) for rule in self.policy.rules}

    # --- words ---

    def _reason(self, question: NextQuestion) -> str:
        asking, words = self.network.knowledge.asking, self.network.knowledge.urgency
        parts = []
        if question.could_fire and question.danger > 0:
            rule = next(rule for rule in self.policy.rules if rule.id == question.could_fire[0])
            parts.append(asking.said("could_reveal", level=self.policy.text_of(rule.level).label, rule=rule.reason))
        if question.watched and question.answers:
            record = self.network.records[question.watched]
            now = in_words(self._probability(question.watched), words)
            parts.append(asking.said("would_move", cause=record.label, now=now, after=self._after(question.answers)))
        return " ".join(parts)

    def _after(self, answers: Sequence[PossibleAnswer]) -> str:
        """Which answer leads where: yes before no, and of more than two the lowest and the highest."""
        told = answers[::-1]
        if len(answers) > 2:
            ranked = sorted(answers, key=lambda answer: answer.watched)
            told = (ranked[0], ranked[-1])
        asking, words = self.network.knowledge.asking, self.network.knowledge.urgency
        parts = []
        for answer in told:
            probability = in_words(answer.watched, words)
            if answer.state in {"present", "absent"}:
                parts.append(asking.said(f"if_{answer.state}", probability=probability))
            else:
                parts.append(asking.said("if_state", probability=probability, state=answer.state.replace("_", " ")))
        return ", ".join(parts)


def _conditions(network: Network) -> tuple[int, ...]:
    return (*network.causes, *network.complications)


def _condition(network: Network, node: int) -> Cause | Complication:
    record = network.records[network.nodes[node].id]
    assert isinstance(record, Cause | Complication)  # by position
    return record


def _states(record: Finding | RiskFactor) -> tuple[str, ...]:
    return record.states if isinstance(record, RiskFactor) else ("absent", "present")


def _relative_entropy(then: Array, now: Array) -> float:
    """Kullback-Leibler divergence in bits; its mean over the answers is the expected fall of the entropy."""
    return float(np.sum(_relative(then, now[: len(then)])))


def _relative(then: Array, now: Array) -> Array:
    safe = np.maximum(now, 1e-300)
    return np.where(then > 0, then * np.log2(np.maximum(then, 1e-300) / safe), 0.0)
