"""How a probability is told: in per cent, and never more certain than it is."""

from calfbayes.knowledge.terms import Urgency


def percent(probability: float, *, exact: bool = False) -> str:
    """A probability in per cent, never rounded to a certainty that it is not.

    A computed probability may be 1 because all its digits are nines, but 0 only below 1e-308.

    Args:
        exact: Whether 1 means 1: of what was counted, or is known to be certain.
    """
    if probability == 0.0 or (probability == 1.0 and exact):
        return f"{probability:.0%}".replace("%", " %")
    if probability < 0.001:
        return "<0.1 %"
    if probability > 0.999:
        return ">99.9 %"
    digits = 0 if 0.0995 <= probability < 0.995 else 1
    return f"{100 * probability:.{digits}f} %"


def in_words(probability: float, words: Urgency) -> str:
    """The same inside a sentence, where a model's words stand for the two signs."""
    text = percent(probability)
    sign = {"<": "under", ">": "over"}.get(text[0])
    return words.said(sign, bound=text[1:]) if sign else text
