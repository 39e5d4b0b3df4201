"""Interviews with simulated patients of the calf model, against all that they could have told: `make evaluate-interview`.

Known before the interview: the complaint, age, sex and setting. Seeds are fixed. It takes an hour or two on one processor.
"""

import argparse
import json
import sys

from calfbayes import load_model
from calfbayes.evaluation.interviews import InterviewScores, interviews

SEED = 500
KNOWN = ("age", "sex")
SETTING = "primary_care"


def main() -> None:
    """Interview so many patients and print the figures as JSON; progress goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=500)
    parser.add_argument("--seed", type=int, default=SEED)
    arguments = parser.parse_args()
    model = load_model()
    ended = []
    for one in interviews(model._solved, model.questionnaire(), SETTING, arguments.patients, seed=arguments.seed, known=KNOWN):
        ended.append(one)
        print(
            f"{len(ended)} full {one.full}, level {one.level}, {one.screens} screens, {one.stop}", file=sys.stderr, flush=True
        )
    told = {"model": model.digest, "setting": SETTING, "seed": arguments.seed, **InterviewScores(tuple(ended)).to_dict()}
    print(json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
