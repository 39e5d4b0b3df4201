"""Interviews with simulated patients of the calf model, against all that they could have told: `make evaluate-interview`.

Known before the interview: the complaint, age, sex and setting. Seeds are fixed. A patient takes ten to fifteen seconds of one
processor; several processes draw the same patients and share them out, so their number changes nothing but the time.
"""

import argparse
import json
import sys
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain, zip_longest

from calfbayes import load_model
from calfbayes.evaluation.interviews import Ended, InterviewScores, interviews

SEED = 500
KNOWN = ("age", "sex")
SETTING = "primary_care"


def main() -> None:
    """Interview so many patients and print the figures as JSON; progress goes to standard error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=500)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=1, help="processes; default %(default)s")
    given = parser.parse_args()
    share = partial(_share, given.patients, given.seed, given.jobs)
    with ProcessPoolExecutor(given.jobs) as pool:
        shares = list(pool.map(share, range(given.jobs)))
    ended = [one for one in chain.from_iterable(zip_longest(*shares)) if one is not None]  # in the order of the patients
    told = {"model": load_model().digest, "setting": SETTING, "seed": given.seed}
    print(json.dumps({**told, **InterviewScores(tuple(ended)).to_dict()}, indent=2))


def _share(patients: int, seed: int, jobs: int, job: int) -> list[Ended]:
    model = load_model()
    ended: list[Ended] = []
    asked = interviews(model._solved, model.questionnaire(), SETTING, patients, seed=seed, known=KNOWN, part=job, parts=jobs)
    for one in asked:
        told = f"full {one.full}, level {one.level}, {one.screens} screens, {one.stop}"
        print(f"{job + jobs * len(ended) + 1} of {patients}: {told}", file=sys.stderr, flush=True)
        ended.append(one)
    return ended


if __name__ == "__main__":
    main()
