"""An interview: it knows what to ask next and when to stop. A value that never changes; JSON in, JSON out.

One screen is a question of the model's questionnaire, without what is known already, or a checklist: of the alarm signs
that could still reveal an emergency, or of whatever else is most worth knowing. First comes what the model's file puts
first, then whatever closes the open emergency rules, then what is expected to spare most loss.

It stops, and says which it was, when
    (a) an emergency is found,
    (b) no emergency rule is open, and the estimated probability that all that a patient can tell would give another level
        is below epsilon; it is estimated from seeded completions, with its standard error,
    (c) the budget of screens is used up, or nothing is left to ask.

The level of an interview is the highest of its levels so far, counted from the level on that the model's file names
(`floor`): who was once told to see somebody today is not told otherwise by a later answer, though `result` may say so. Below
that level it is simply the level of `result`. A rule that holds counts at once. What the model expects counts once no
emergency rule is open, and where the interview ends on it: before the alarm signs have been asked for it is a first
impression, which every denial changes, and only for whoever breaks off is it the level to act on.

What is told joins what is known as `retelling` says: that something is there counts more than that it is not. What
contradicts itself is an error, which has the level of the rules that hold on all that was told; `at_least` keeps that level.
"""

import json
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import cached_property
from itertools import product
from math import prod, sqrt
from typing import Any

from calfbayes.arguments import number, whole_number
from calfbayes.diagnosis.diagnosing import diagnose, with_level
from calfbayes.diagnosis.policy import PolicyOrigin, UrgencyPolicy, checked_policy
from calfbayes.diagnosis.questions import bearing_most, is_open, next_questions, worth_by_rules
from calfbayes.diagnosis.result import Diagnosis
from calfbayes.diagnosis.rules import could_hold
from calfbayes.errors import ArgumentError, ContradictionError, QueryTooCostlyError
from calfbayes.evidence import Evidence, Value, read_evidence
from calfbayes.inference.exact import COST_LIMIT
from calfbayes.inference.solved import SolvedNetwork
from calfbayes.knowledge.terms import LEVELS_BY_SEVERITY, Finding, Level, Observer, RiskFactor, Rule
from calfbayes.network import Network
from calfbayes.presentation.facts import known
from calfbayes.presentation.plain import bullets
from calfbayes.questionnaire.completions import completions, level_of, with_answers
from calfbayes.questionnaire.retelling import with_told, without_overlooked
from calfbayes.questionnaire.screens import boxes, checklist, closing_screen, without_known
from calfbayes.questionnaire.session import Questionnaire, applies, checked_choice
from calfbayes.questionnaire.terms import Kind, Question, Statements

SCHEMA_VERSION = 4  # of the JSON, which `stored` reads back
COMPLETIONS = 16  # whole patients; each costs a query, all of them together hardly more than the limit of one
PROOF = 512  # whole patients that are looked at to prove a level
WORTHY = 24  # of so many best questions the screens are chosen


class Stop(StrEnum):
    """Why an interview has ended."""

    EMERGENCY = "emergency"
    SETTLED = "settled"
    BUDGET = "budget"
    NOTHING_LEFT = "nothing_left"


@dataclass(frozen=True, slots=True)
class Outlook:
    """What all that a patient can tell may still change.

    Attributes:
        chance: Estimated probability that it would give another level.
        error: Standard error of the estimate; 0 if it is proven.
        n: Completions looked at; fewer than asked for once the chance is clearly too large.
        proven: Whether every possible answer to what is left was looked at, and the chance is 0.
        witness: Answers that would give another level, ids to values; None if none was found.
        witness_level: That level.
    """

    chance: float
    error: float
    n: int
    proven: bool
    witness: tuple[tuple[str, Value], ...] | None
    witness_level: Level | None

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        return {
            "chance": self.chance,
            "error": self.error,
            "n": self.n,
            "proven": self.proven,
            "witness": None if self.witness is None else dict(self.witness),
            "witness_level": None if self.witness_level is None else str(self.witness_level),
        }


@dataclass(frozen=True, repr=False)
class Interview:
    """One person's interview so far; begin with `model.interview()`.

    Attributes:
        start: What was known before the first screen.
        said: What the answers said, ids to values, sorted by id.
        put: Ids that screens have asked, whether or not they were answered. What a question of kind one leaves unsaid, and
            another question can tell, is not among them: one option is chosen though several may be so.
        asked: Ids of the questions that were put.
        screens: How many screens have been answered or skipped.
        floor: The highest level so far, from the level on that the model's file says is not taken back: of the rules that
            held, and of the results since no emergency rule was open.
        budget: Largest number of screens; None for no limit.
        epsilon: Below this chance of another level the interview is settled.
        seed: Of the completions.
        cost_limit: Largest predicted number of state operations of one query.
        policy: The urgency policy; None for the model's.
    """

    start: Evidence
    said: tuple[tuple[str, Value], ...]
    put: frozenset[str]
    asked: frozenset[str]
    screens: int
    floor: Level
    budget: int | None
    epsilon: float
    seed: int
    cost_limit: float
    policy: UrgencyPolicy | None
    _questionnaire: Questionnaire = field(compare=False)
    _solved: SolvedNetwork = field(compare=False)

    def __repr__(self) -> str:
        told = [f"{kind}: {'; '.join(facts)}" for kind, facts in known(self.evidence).items()]
        title = f"Interview: {self.screens} screens answered or skipped, floor {self.floor.replace('_', ' ')}"
        return "\n".join([title, *bullets(told or ["nothing is known yet"], 100)])

    # --- one step ---

    def answer(self, choice: str | Sequence[str] | AbstractSet[str] | float | None) -> "Interview":
        """The interview after the answer to the screen that `next` shows.

        Args:
            choice: Id of an option, several ids for boxes (`"none"` if all stay empty), a number, or None for "don't know".

        Raises:
            ArgumentError: If nothing is asked any more, or the choice is no answer to the screen.
            UnknownNameError: If an option does not exist.
            ContradictionError: If the answer contradicts what is known.
        """
        question = self._current()
        chosen = checked_choice(question, choice, self._network)
        return self._after(question, question.said(chosen))

    def skip(self) -> "Interview":
        """The interview after the screen was passed over: it is not shown again, and says nothing.

        Raises:
            ArgumentError: If nothing is asked any more.
        """
        return self._after(self._current(), {})

    def tell(self, facts: Mapping[str, object]) -> "Interview":
        """The interview after something was told unasked; it takes no screen.

        Raises:
            CalfBayesError: If the facts are wrong, or contradict what is known.
        """
        try:
            checked = read_evidence(self._network, facts)
        except ContradictionError as error:  # among the facts; the rules look at what is known, too
            raise self._contradiction(error, error.told) from None
        return self._with(checked, self.put | set(checked))

    def at_least(self, level: Level) -> "Interview":
        """The interview with a floor not below this level, such as that of a contradiction."""
        return self if level <= self.floor else replace(self, floor=Level(level))

    def next(self) -> Question | None:
        """The next screen; None once the interview has ended, see `stopped`."""
        return None if self.stopped else self._screen

    # --- where it stands ---

    @property
    def level(self) -> Level:
        """The level to act on: that of the result, and never below the floor."""
        return max(self.floor, self.result.urgency.level)

    @cached_property
    def evidence(self) -> Evidence:
        """Everything that is known."""
        known = with_told(self._network, self.start, dict(self.said))
        return read_evidence(self._network, known, setting=self.start.setting)

    @cached_property
    def result(self) -> Diagnosis:
        """The diagnosis from everything that is known."""
        return diagnose(
            self._solved, self.evidence, policy=self.policy, allow_laxer_policy=True, cost_limit=self.cost_limit
        )  # `begin` has looked at it

    @cached_property
    def stopped(self) -> Stop | None:
        """Why the interview has ended; None if it goes on."""
        if self.level == Level.EMERGENCY:
            return Stop.EMERGENCY
        if self._is_spent:
            return Stop.BUDGET
        if self._hangs_on_outlook and self.outlook.chance < self.epsilon:
            return Stop.SETTLED
        return Stop.NOTHING_LEFT if self._screen is None else None

    @cached_property
    def emergencies_to_ask(self) -> tuple[str, ...]:
        """Ids of the emergency rules that what has not been asked for could fire; what was asked in vain counts as denied."""
        rules = self.result.urgency.policy.rules
        return tuple(rule.id for rule in rules if rule.level == Level.EMERGENCY and self._could_fire(rule))

    @cached_property
    def unanswered_emergencies(self) -> tuple[str, ...]:
        """Ids of the emergency rules that are not ruled out though nothing more is asked for them: it was not answered."""
        emergencies = (rule.id for rule in self.result.urgency.open_rules if rule.level == Level.EMERGENCY)
        return tuple(name for name in emergencies if name not in self.emergencies_to_ask)

    @cached_property
    def outlook(self) -> Outlook:
        """What all that a patient can tell may still change; seeded completions, or a proof where that is affordable."""
        left = self._open_names
        if prod(len(_values(self._network, name)) for name in left) <= PROOF:
            return self._proof(left)
        return self._estimate()

    # --- JSON ---

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON: where it stands, and from `start` on what `model.interview_from_json` needs.

        The outlook, which takes time, is told where the end hangs on it: not while the interview has to go on, nor if an
        emergency or the budget has ended it.
        """
        identity = self._network.knowledge
        said = read_evidence(self._network, dict(self.said)).to_dict()["items"]
        return {
            "schema_version": SCHEMA_VERSION,
            "model": {"name": identity.name, "version": identity.version, "digest": identity.digest},
            "policy": policy_to_dict(self.result.urgency.policy, self.result.urgency.policy_origin),
            "level": str(self.level),
            "stopped": self.stopped and str(self.stopped),
            "outcome": str(self.result.outcome),
            "outcome_reason": self.result.outcome_reason,
            "outlook": self.outlook.to_dict() if self._hangs_on_outlook else None,
            "unanswered_emergencies": list(self.unanswered_emergencies),
            "start": self.start.to_dict(),
            "said": said,
            "put": sorted(self.put),
            "asked": sorted(self.asked),
            "screens": self.screens,
            "floor": str(self.floor),
            "budget": self.budget,
            "epsilon": self.epsilon,
            "seed": self.seed,
        }

    def to_json(self) -> str:
        """The interview as JSON; `model.interview_from_json` reads it back."""
        return json.dumps(self.to_dict(), allow_nan=False)

    # --- the step inside ---

    @property
    def _network(self) -> Network:
        return self._solved.network

    @property
    def _is_spent(self) -> bool:
        return self.budget is not None and self.screens >= self.budget

    @cached_property
    def _hangs_on_outlook(self) -> bool:
        """Say whether it goes on only as far as further answers may change the level."""
        may_end = self.level < Level.EMERGENCY and not self._is_spent
        return may_end and self._first() is None and not self.emergencies_to_ask

    def _current(self) -> Question:
        question = self.next()
        if question is None:
            raise ArgumentError("answer", "an answer", f"no further one: the interview has ended ({self.stopped})")
        return question

    def _after(self, question: Question, said: Mapping[str, Value]) -> "Interview":
        told = without_overlooked(self._network, self.evidence, said)
        done = {name for name in question.names if self._is_done(question, name, said.get(name))}
        after = replace(self, asked=self.asked | {question.id}, screens=self.screens + 1)
        return after._with({name: value for name, value in told.items() if name in done}, self.put | done)

    def _is_done(self, question: Question, name: str, value: Value) -> bool:
        """Say whether nothing else need ask for a name of this question: who has chosen one option may know more."""
        if question.kind != Kind.ONE or value is not None:
            return True
        return not any(name in other.names for other in self._questionnaire.questions if other.id != question.id)

    def _with(self, more: Statements, put: AbstractSet[str]) -> "Interview":
        try:
            known = with_told(self._network, self.evidence, more)
            said = {name: known[name] for name in {*dict(self.said), *more} & set(known)}
            new = {name: value for name, value in said.items() if name not in self.start or self.start[name] != value}
            after = replace(self, said=tuple(sorted(new.items())), put=frozenset(put))
            return after.at_least(max(self._lasting_level, after._lasting_level))
        except ContradictionError as error:
            raise self._contradiction(error, more) from None

    @property
    def _lasting_level(self) -> Level:
        """The level that no later answer takes back; the lowest if there is none."""
        urgency = self.result.urgency
        is_told = urgency.level == Level.EMERGENCY or self._is_spent or not self._left()
        level = urgency.level if is_told or not self.emergencies_to_ask else urgency.rules_level
        return level if level >= self._network.knowledge.asking.floor_from else LEVELS_BY_SEVERITY[0]

    def _contradiction(self, error: ContradictionError, more: object) -> ContradictionError:
        """The error with the level of the rules that hold on all that was told: what is there counts, however it was told."""
        known, new = dict(self.evidence), dict(more) if isinstance(more, Mapping) else {}
        there = {name: True for name, value in (*known.items(), *new.items()) if value is True}
        every = ({**known, **new, **there}, {**new, **known, **there})
        told = (Evidence(tuple(sorted(values.items())), self.start.setting, self._network) for values in every)
        return with_level(error, self.result.urgency.policy, *told)

    # --- the next screen ---

    @cached_property
    def _screen(self) -> Question | None:
        first = self._first()
        if first is not None:
            return first
        if self.emergencies_to_ask:
            screen = self._closing()
            if screen is not None:
                return screen
        return self._worthiest()

    def _left(self) -> list[Question]:
        """The questions that apply and still have something to ask, without what is known."""
        said = dict(self.evidence.items())
        unasked = (q for q in self._questionnaire.questions if q.id not in self.asked)
        questions = (q for q in unasked if applies(q, self._network, said))
        shown = (without_known(q, self._is_left) for q in questions)
        return [question for question in shown if question is not None]

    def _first(self) -> Question | None:
        wanted = self._network.knowledge.asking.first
        return next((q for name in wanted if self._is_left(name) for q in self._left() if name in q.names), None)

    def _closing(self) -> Question | None:
        """The screen that bears most on the emergency rules that are open."""
        rules = {rule.id: rule.condition for rule in self.result.urgency.policy.rules}
        conditions = [rules[name] for name in self.emergencies_to_ask]
        asking = self._network.knowledge.asking
        return closing_screen(
            self._left(),
            conditions,
            self._as_denied,
            self.result,
            lambda names: checklist(asking.checklist, asking.checklist_help, self._network, names, self._questionnaire),
        )

    def _worthiest(self) -> Question | None:
        """The question, or list of boxes out of several, whose answers are expected to spare most loss; then to tell most.

        A list is filled up with what bears most on the level.
        """
        questions = self._left()
        if not questions:
            return None
        found = next_questions(
            self.result, n=WORTHY, who="patient", budget=None, objective="urgency", cost_limit=self.cost_limit
        )
        by_rules = worth_by_rules(self.result)
        loss = {q.id: max(q.loss_reduction or 0.0, by_rules.get(q.id, 0.0)) for q in found}
        bits = {q.id: q.level_bits or 0.0 for q in found}

        def worth(names: Sequence[str]) -> tuple[float, float]:
            spared = sum(loss.get(name, by_rules.get(name, 0.0)) for name in names)
            return spared, sum(bits.get(name, 0.0) for name in names)

        asking = self._network.knowledge.asking
        ticked = [name for name in bearing_most(self.result, len(self._open_names)) if name in boxes(questions)]
        ticked.sort(key=lambda name: worth([name]), reverse=True)
        screens = list(questions)
        if min(len(ticked), asking.boxes) > 1:
            screens.append(checklist(asking.more, "", self._network, ticked[: asking.boxes], self._questionnaire))
        return max(screens, key=lambda screen: worth(screen.names))  # ties: the first of the file

    def _is_left(self, name: str) -> bool:
        """Say whether something is not known and no screen has asked for it."""
        return name not in self.put and name not in self.start and is_open(name, self.evidence)

    @cached_property
    def _as_denied(self) -> Evidence:
        """The evidence as if what was asked and not answered had been denied: it will not be asked again."""
        known = dict(self.evidence.items())
        for name in self.put - self.evidence.surely_present:
            if known.get(name) is None and isinstance(self._network.records[name], Finding):
                known[name] = False
        return read_evidence(self._network, known, setting=self.start.setting)

    def _could_fire(self, rule: Rule) -> bool:
        return could_hold(rule.condition, self._as_denied)

    # --- what is left ---

    @cached_property
    def _open_names(self) -> tuple[str, ...]:
        """Everything that a patient could still tell."""
        knowledge = self._network.knowledge
        findings = (f.id for f in knowledge.findings if f.observer == Observer.PATIENT and f.id != knowledge.complaint)
        names = (*findings, *(factor.id for factor in knowledge.risk_factors))
        return tuple(
            name
            for name in names
            if self.evidence.get(name) is None and name not in self.evidence.surely_present | self.evidence.surely_absent
        )

    def _level_with(self, answers: Mapping[str, Value], unweighed: AbstractSet[str], cost_limit: float) -> Level | None:
        """The level with more answers, all of which the model weighs but some; None if they are impossible."""
        evidence = with_answers(self.evidence, answers)
        weighed = with_answers(self.evidence, {name: value for name, value in answers.items() if name not in unweighed})
        if evidence is None or weighed is None:
            return None
        policy = self.result.urgency.policy
        level = level_of(self._solved, self.result.setting, evidence, policy, cost_limit, weighed=weighed)
        return None if level is None else max(self.floor, level)

    def _level_weighing(self, answers: Mapping[str, Value], present: Sequence[str]) -> Level | None:
        """As `_level_with`, weighing half of the present findings, then a quarter ..., where it is too dear.

        Raises:
            QueryTooCostlyError: If it is too dear without any of them.
        """
        weighed = len(present)
        while True:
            try:
                return self._level_with(answers, set(present[weighed:]), self.cost_limit / COMPLETIONS)
            except QueryTooCostlyError:
                if not weighed:
                    raise
                weighed //= 2

    def _proof(self, left: Sequence[str]) -> Outlook:
        """Look at every possible answer to what is left, if that is affordable; impossible ones count for nothing."""
        every = list(product(*(_values(self._network, name) for name in left)))
        for n, values in enumerate(every, start=1):
            answers = dict(zip(left, values, strict=True))
            try:
                level = self._level_with(answers, frozenset(), self.cost_limit / len(every))
            except QueryTooCostlyError:
                return self._estimate()
            if level is not None and level != self.level:
                return self._estimate(Outlook(0.0, 0.0, n, False, tuple(sorted(answers.items())), level))
        return Outlook(0.0, 0.0, len(every), True, None, None)

    def _estimate(self, found: Outlook | None = None) -> Outlook:
        """Count the completions that give another level; stop early once they are too many.

        A patient who tells everything is dear to compute, but only what is present makes it so. So the rules look at the
        whole patient, and the model weighs all that is denied, the risk factors, and of the findings that are present
        those that bear most on the level, as many as the limit allows. To leave out what is denied would not do: whoever
        weighs less news than there will be finds the level more settled than it is.
        """
        witness = None if found is None else found.witness
        witness_level = None if found is None else found.witness_level
        n = other = 0
        by_weight = bearing_most(self.result, len(self._open_names))
        findings = [name for name in by_weight if name in self._network.node_index]
        for answers in completions(
            self._solved, self.result.setting, self.evidence, self.result._hidden, COMPLETIONS, self.seed
        ):
            try:
                level = self._level_weighing(answers, [name for name in findings if answers[name] is True])
            except QueryTooCostlyError:  # nobody knows: not settled
                level = None
            else:
                if level is None:  # no such patient
                    continue
            n += 1
            if level != self.level:
                other += 1
                if witness is None and level is not None:
                    witness = tuple(sorted((name, answers[name]) for name in self._open_names))
                    witness_level = level
            if (other + 0.5) / (COMPLETIONS + 1) >= self.epsilon:
                break  # whatever the others are, it is not settled
        chance = (other + 0.5) / (n + 1)
        return Outlook(chance, sqrt(chance * (1 - chance) / (n + 1)), n, False, witness, witness_level)


def begin(
    solved: SolvedNetwork,
    questionnaire: Questionnaire,
    start: Evidence,
    *,
    budget: int | None = None,
    epsilon: float | None = None,
    seed: int = 0,
    cost_limit: float = COST_LIMIT,
    policy: UrgencyPolicy | None = None,
    allow_laxer_policy: bool = False,
) -> Interview:
    """An interview before its first screen.

    Args:
        policy: Another urgency policy than the model's; see `policy.checked_policy`.

    Raises:
        ArgumentError: If an argument is out of its range, or the policy cannot be used.
    """
    chosen, origin = checked_policy(policy, solved.network, allow_laxer=allow_laxer_policy)
    own = None if origin == PolicyOrigin.MODEL else chosen
    screens = None if budget is None else whole_number("budget", budget, 0)
    if epsilon is None:
        epsilon = solved.network.knowledge.asking.epsilon
    chance = number("epsilon", epsilon, "a probability between 0 and 1", lambda x: 0 < x < 1)
    drawn = whole_number("seed", seed, 0)
    lowest = LEVELS_BY_SEVERITY[0]
    return Interview(
        start, (), frozenset(), frozenset(), 0, lowest, screens, chance, drawn, cost_limit, own, questionnaire, solved
    )


def policy_to_dict(policy: UrgencyPolicy, origin: PolicyOrigin) -> dict[str, str]:
    """What a stored interview tells of its policy: enough to know it again."""
    return {"origin": origin.name.lower(), "digest": policy.digest}


def _values(network: Network, name: str) -> tuple[Value, ...]:
    """Every value that an answer can have."""
    record = network.records[name]
    if isinstance(record, RiskFactor) and not record.is_binary:
        return record.states
    return (False, True)
