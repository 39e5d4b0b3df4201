"""What is worth asking next?"""

from typing import TYPE_CHECKING

from calfbayes.diagnosis.questions import NextQuestions
from calfbayes.errors import ArgumentError
from calfbayes.plot.canvas import BLUE, ORANGE, canvas, checked_type, figure_of
from calfbayes.presentation.plain import percent

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW = 0.5  # inches


def next_questions(questions: NextQuestions, *, ax: "Axes | None" = None) -> "Figure":
    """Draw how much each answer is expected to tell, in the order of the questions, and which emergency it could reveal.

    The order is not that of the bars: dangers come first, and an answer that tells much may change nothing that is done.

    Args:
        questions: Of `result.next_questions`.
        ax: Axes to draw on; None makes a figure.

    Raises:
        ArgumentError: If there is nothing to draw, or `ax` is no axes.
        MissingExtraError: If matplotlib is not installed.
    """
    checked_type("questions", questions, NextQuestions, "what result.next_questions gives")
    if not questions or any(question.cause_bits is None for question in questions):
        raise ArgumentError("questions", "none, or without probabilities", "at least one question of a result that has them")
    rows = range(len(questions))
    of_level = [question.level_bits or 0.0 for question in questions]
    of_causes = [question.cause_bits or 0.0 for question in questions]
    with canvas(ax, 9, 1.7 + ROW * len(questions)) as room:
        axes = room.axes
        axes.barh([row - 0.18 for row in rows], of_causes, height=0.34, color=BLUE, label="about the causes")
        axes.barh([row + 0.18 for row in rows], of_level, height=0.34, color=ORANGE, label="about the urgency needed")
        for row, question in enumerate(questions):
            words = f"alarm: {percent(question.danger)}" if question.danger > 0.0 else "no alarm"
            end = max(of_level[row], of_causes[row])
            axes.annotate(words, (end, row), (6, 0), textcoords="offset points", va="center", size=room.small)
        room.name_rows([question.text for question in questions], small=True, lines=3)
        room.beside(axes.texts)
        axes.set_xlim(0, 1.7 * max([*of_level, *of_causes, 1e-6]))  # for the words beside the bars
        room.label_x("what the answer is expected to tell (bits); beside: chance that an answer sets off an emergency rule")
        room.title("What to ask next, best first")
        room.legend()
        return figure_of(axes)
