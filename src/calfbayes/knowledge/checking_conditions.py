"""Checks of a condition: of a red-flag rule, of a test, of a kind of advice."""

from collections.abc import Iterator
from functools import partial

from calfbayes.errors import Fault
from calfbayes.knowledge.index import Index
from calfbayes.knowledge.terms import Condition, atoms
from calfbayes.knowledge.wording import nearest


def condition_faults(index: Index, file: str, place: str, condition: "Condition | None") -> Iterator[Fault]:
    """Each atom is a finding that is present, or a state of a risk factor, and not the complaint."""
    fault = partial(Fault, file, place)
    for atom in () if condition is None else atoms(condition):
        factor = index.factors.get(atom.id)
        if atom.id == index.knowledge.complaint:
            yield fault(f"{atom.id} is always present", "leave it out")
        elif factor:
            if factor.states and atom.state not in factor.states:
                remedy = f"write {atom.id}=STATE; {nearest(atom.state, factor.states)}"
                yield fault(f"{atom.state} is no state of {atom.id}", remedy)
        elif atom.id not in index.findings:
            yield fault(f"{atom.id} is no finding or risk factor", nearest(atom.id, index.ids("finding", "risk_factor")))
        elif atom.state != "present":
            yield fault(f"{atom} cannot be: a finding is present or not", f"write {atom.id}")
