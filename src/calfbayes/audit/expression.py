"""What selects patients, as one line of text: `unilateral_calf_swelling or tenderness_along_deep_veins`.

    active_cancer and not previous_vte          findings and yes/no risk factors are conditions
    age >= 60, 18 <= age < 50, sex == male      a risk factor with states is compared; age == 67 means the band of 67
    redness + fever + 2 * skin_break >= 3       a score: conditions count 1 or 0

An expression is split into disjoint pieces of plain evidence, so that its probability is a sum of exact queries.

References:
    Shannon (1938), A symbolic analysis of relay and switching circuits: the expansion by one variable after the other.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from calfbayes.errors import ArgumentError
from calfbayes.evidence import state_of
from calfbayes.knowledge.terms import Finding, RiskFactor
from calfbayes.network import Network

MAX_LENGTH = 2_000
MAX_DEPTH = 60
MAX_POINTS = 1_000_000
MAX_CASES = 5_000  # a score of twelve items; each piece is an exact query
EXPECTED = "an expression such as `age >= 60 and (redness or fever)`"

Choice = bool | str
Range = tuple[float, float]


@dataclass(frozen=True)
class Expression:
    """A condition on a patient; make it with `parse`.

    Attributes:
        text: As it was written.
        choices: Each id that it speaks of, in order of appearance, with the answers that it may have.
    """

    text: str
    choices: Mapping[str, tuple[Choice, ...]] = field(compare=False)
    _root: ast.expr = field(compare=False, repr=False)
    _factors: Mapping[str, RiskFactor] = field(compare=False, repr=False)

    @cached_property
    def pieces(self) -> tuple[dict[str, Choice], ...]:
        """Disjoint pieces of evidence that together say the same; empty if it cannot hold.

        Raises:
            ArgumentError: If more cases would have to be told apart than `MAX_CASES`.
        """
        found: list[dict[str, Choice]] = []
        open_cases: list[dict[str, Choice]] = [{}]
        for _ in range(MAX_CASES):
            if not open_cases:
                return tuple(found)
            known = open_cases.pop()
            low, high = self._range(self._root, known)
            if low:
                found.append(known)
            elif high:
                name = next(name for name in self.choices if name not in known)
                open_cases += [{**known, name: choice} for choice in reversed(self.choices[name])]
        given = f"an expression of {len(self.choices)} ids that needs more than {MAX_CASES} cases"
        raise ArgumentError("expression", given, "fewer ids, or two expressions")

    def _range(self, node: ast.expr, known: Mapping[str, Choice]) -> Range:
        """Lowest and highest value that a part can still take; a condition is 0 or 1."""
        if isinstance(node, ast.Name):
            return (float(known[node.id]), float(known[node.id])) if node.id in known else (0.0, 1.0)
        if isinstance(node, ast.Constant):
            return float(node.value), float(node.value)  # type: ignore[arg-type]  # `_check` has seen that it is a number
        if isinstance(node, ast.BoolOp):
            parts = [self._range(part, known) for part in node.values]
            choose = min if isinstance(node.op, ast.And) else max
            return choose(low for low, _ in parts), choose(high for _, high in parts)
        if isinstance(node, ast.UnaryOp):
            low, high = self._range(node.operand, known)
            return (1 - high, 1 - low) if isinstance(node.op, ast.Not) else (-high, -low)
        if isinstance(node, ast.BinOp):
            return _arithmetic(node.op, self._range(node.left, known), self._range(node.right, known))
        if not isinstance(node, ast.Compare):
            raise TypeError(ast.dump(node))
        factor = _factor_of(node, self._factors)
        if factor is None:
            sides = [self._range(side, known) for side in (node.left, *node.comparators)]
            steps = [_compared(op, sides[k], sides[k + 1]) for k, op in enumerate(node.ops)]
            return min(low for low, _ in steps), min(high for _, high in steps)
        wanted = _states(node, factor)
        return (float(known[factor.id] in wanted),) * 2 if factor.id in known else (0.0, 1.0)


def parse(network: Network, text: str) -> Expression:
    """Read an expression; the empty text holds for everyone.

    Raises:
        ArgumentError: If the text is no such expression, speaks of what the model does not know, or has too many cases.
    """
    if len(text) > MAX_LENGTH:
        raise ArgumentError("expression", f"{len(text)} characters", f"at most {MAX_LENGTH}")
    try:
        root = ast.parse(text.strip() or "1", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise ArgumentError("expression", repr(text)[:80], EXPECTED) from None
    factors = {factor.id: factor for factor in network.knowledge.risk_factors if not factor.is_binary}
    choices: dict[str, tuple[Choice, ...]] = {}
    _check(root, network, factors, choices, MAX_DEPTH)
    expression = Expression(text.strip(), choices, root, factors)
    _ = expression.pieces  # split now, so that what has too many is refused where it is read
    return expression


def both(network: Network, first: str, second: str) -> Expression:
    """The expression that holds where both hold."""
    return parse(network, " and ".join(f"({text})" for text in (first.strip(), second.strip()) if text))


def _check(
    node: ast.AST, network: Network, factors: Mapping[str, RiskFactor], choices: dict[str, tuple[Choice, ...]], depth: int
) -> None:
    """Refuse whatever is not in the language, and note the ids that are used."""
    if depth == 0:
        raise ArgumentError("expression", "a nested expression", f"at most {MAX_DEPTH} levels")
    if isinstance(node, ast.Compare):
        factor = _factor_of(node, factors)
        if factor is not None:
            _states(node, factor)
            choices.setdefault(factor.id, factor.states)
            return
    if isinstance(node, ast.Name):
        record = network.records.get(node.id)
        if isinstance(record, RiskFactor) and not record.is_binary:
            raise ArgumentError("expression", node.id, f"a comparison, such as {node.id} == {record.states[-1]}")
        if not isinstance(record, Finding | RiskFactor):
            raise ArgumentError("expression", node.id, f"findings and risk factors of model {network.name}")
        choices.setdefault(node.id, (True, False))
    elif isinstance(node, ast.Constant):
        value = node.value
        if isinstance(value, bool) or not isinstance(value, int | float) or not value <= MAX_POINTS:
            raise ArgumentError("expression", repr(node.value)[:80], EXPECTED)
    elif isinstance(node, ast.BoolOp | ast.UnaryOp | ast.BinOp | ast.Compare):
        operators = node.ops if isinstance(node, ast.Compare) else [node.op]
        if not all(isinstance(op, OPERATORS) for op in operators):
            raise ArgumentError("expression", ast.unparse(node)[:80], EXPECTED)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                _check(child, network, factors, choices, depth - 1)
    else:
        raise ArgumentError("expression", ast.unparse(node)[:80], EXPECTED)


OPERATORS = (ast.And, ast.Or, ast.Not, ast.USub, ast.Add, ast.Sub, ast.Mult, ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq)


def _factor_of(node: ast.Compare, factors: Mapping[str, RiskFactor]) -> RiskFactor | None:
    """The risk factor with states that a comparison is about, if any."""
    names = [side.id for side in (node.left, *node.comparators) if isinstance(side, ast.Name) and side.id in factors]
    return factors[names[0]] if names else None


def _states(node: ast.Compare, factor: RiskFactor) -> frozenset[str]:
    """The states for which a comparison with a risk factor holds."""
    holding = set(factor.states)
    sides = [node.left, *node.comparators]
    for k, op in enumerate(node.ops):
        left, right = sides[k], sides[k + 1]
        if isinstance(right, ast.Name) and right.id == factor.id:
            holding &= _states_of_one(MIRRORED.get(type(op), type(op))(), left, factor)
        else:
            holding &= _states_of_one(op, right, factor)
    return frozenset(holding)


MIRRORED: dict[type[ast.cmpop], type[ast.cmpop]] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}


def _states_of_one(op: ast.cmpop, bound: ast.expr, factor: RiskFactor) -> set[str]:
    if isinstance(op, ast.Eq) and isinstance(bound, ast.Name) and bound.id in factor.states:
        return {bound.id}
    number = bound.value if isinstance(bound, ast.Constant) and not isinstance(bound.value, bool) else None
    if isinstance(number, int | float) and factor.lower_bounds:
        if isinstance(op, ast.Eq) and factor.lower_bounds[0] <= number <= factor.upper_bound:
            return {state_of(factor, number)}
        if isinstance(op, ast.Lt | ast.GtE) and number in factor.lower_bounds:
            above = set(factor.states[factor.lower_bounds.index(number) :])
            return above if isinstance(op, ast.GtE) else set(factor.states) - above
    expected = f"{factor.id} == a state ({', '.join(factor.states)})"
    if factor.lower_bounds:
        bounds = ", ".join(f"{bound:g}" for bound in factor.lower_bounds)
        expected += f" or a number in one of them, or >= or < a bound of its bands ({bounds})"
    raise ArgumentError("expression", f"{factor.id} against {ast.unparse(bound)}"[:80], expected)


def _arithmetic(op: ast.operator, left: Range, right: Range) -> Range:
    if isinstance(op, ast.Add):
        return left[0] + right[0], left[1] + right[1]
    if isinstance(op, ast.Sub):
        return left[0] - right[1], left[1] - right[0]
    products = [a * b for a in left for b in right]
    return min(products), max(products)


def _compared(op: ast.cmpop, left: Range, right: Range) -> Range:
    if isinstance(op, ast.Gt | ast.GtE):
        return _compared(MIRRORED[type(op)](), right, left)
    if isinstance(op, ast.Eq):
        surely, perhaps = left[0] == left[1] == right[0] == right[1], left[0] <= right[1] and right[0] <= left[1]
    elif isinstance(op, ast.Lt):
        surely, perhaps = left[1] < right[0], left[0] < right[1]
    else:
        surely, perhaps = left[1] <= right[0], left[0] <= right[1]
    return float(surely), float(perhaps)
