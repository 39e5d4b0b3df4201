"""Figures, one function a question; they need the extra `plot`.

Every function returns a matplotlib figure and draws on axes of your own if you give `ax`. Figures are not registered with
pyplot: a notebook shows the one that is returned, `figure.savefig(...)` writes it, and nothing has to be closed.

    causes(result)               what may it be, how did the answers change that, and how sure is it?
    waterfall(ledger)            why is a cause as probable as it is?
    tornado(sensitivity)         which numbers of the model does that hang on?
    next_questions(questions)    what is worth asking next?
    audit(comparisons)           does the model imply what was published?
    triage(scores)               is the urgency given the one that was needed?
    calibration(p, happened)     of all that were given 20 %, did one in five have it?
    presentations(model)         which findings does each cause bring?
    network(model)               how does it hang together?
    patient_network(result)      which part of it speaks about this patient?

Colours are those of Okabe and Ito, which colour-blind people can tell apart; none carries a meaning alone.
"""

from calfbayes.plot.bars import causes
from calfbayes.plot.doubt import tornado
from calfbayes.plot.graph import network, patient_network
from calfbayes.plot.heat import presentations
from calfbayes.plot.quality import audit, calibration, triage
from calfbayes.plot.questions import next_questions
from calfbayes.plot.reasons import waterfall

__all__ = [
    "audit",
    "calibration",
    "causes",
    "network",
    "next_questions",
    "patient_network",
    "presentations",
    "tornado",
    "triage",
    "waterfall",
]
