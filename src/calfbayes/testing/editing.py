"""Edited models: what would it say if this number were another, or this rule were gone?"""

import copy
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

from calfbayes.errors import ArgumentError, UnknownNameError
from calfbayes.inference.bases import Bases
from calfbayes.inference.exact import Posterior
from calfbayes.inference.solved import SolvedNetwork, solve_setting
from calfbayes.knowledge.reading import Content, knowledge_from_content
from calfbayes.model import Model
from calfbayes.network import Network, compile_network

Solved = TypeVar("Solved")
REMOVED = object()
NO_NUMBERS = ("urgency.rules.", "urgency.loss.", "asking.")


def edited(model: Model, changes: Mapping[str, Any]) -> Model:
    """The same model with parts of its files changed.

    Args:
        model: Which model; it stays as it is. What is read beside its files on demand is read for the edited one, too.
        changes: New values by place, such as `causes.deep_vein_thrombosis.links.local_swelling.link`; a rule stands under
            its id, `urgency.rules.cold_pale_leg.level`. `REMOVED` takes the place out.

    Raises:
        UnknownNameError: If there is no such place.
        ModelFileError: If the changed files are wrong; bases are solved when a care setting is first asked about.
    """
    content = copy.deepcopy(model._content)
    for place, value in changes.items():
        _put(content, place, value)
    if all(place.startswith(NO_NUMBERS) for place in changes):  # no base depends on it
        network = compile_network(knowledge_from_content(content, name=model.name))
        return Model(SolvedNetwork(network, model._solved.bases, model._solved.baseline), content, model._folder)
    return model_of_content(content, model.name, model._folder)


def number_at(model: Model, place: str) -> float:
    """The elicited number at a place, such as `findings.redness.leak` or `causes.myositis.links.redness`.

    Raises:
        UnknownNameError: If there is no such place.
        ArgumentError: If no number stands there.
    """
    table = value_at(model, place)
    return float(table[_number_key(place, table)])


def with_number(model: Model, place: str, value: float) -> Model:
    """The same model with another elicited number, which is as sure as it was: its range moves along, its sample size stays.

    Raises:
        CalfBayesError: As `number_at`, or if the model is wrong with this number.
    """
    table, was = value_at(model, place), number_at(model, place)
    changed = {**table, _number_key(place, table): value}
    if table.get("range") is not None:
        most = float("inf") if ".weight." in place or ".odds." in place else 1.0
        low, high = (end * value / was if was > 0 else value for end in table["range"])
        changed["range"] = [min(low, value), max(value, min(high, most))]
    return edited(model, {place: changed})


def _number_key(place: str, table: Any) -> str:
    keys = [key for key in ("value", "probability", "link") if isinstance(table, dict) and table.get(key) is not None]
    if not keys:
        raise ArgumentError("place", place, "the place of an elicited number, such as `findings.redness.leak`")
    return keys[0]


def model_of_content(content: Content, name: str, folder: Path | None = None) -> Model:
    """Check and compile; each care setting is solved when it is first asked about.

    Args:
        folder: Where the constraints, the questionnaire and the audit of the model stand.

    Raises:
        ModelFileError: If the content is wrong.
    """
    network = compile_network(knowledge_from_content(content, name=name))
    solved = _LazilySolved(network)
    bases: Mapping[str, Bases] = _Settings(network, lambda setting: solved[setting][0])
    baseline: Mapping[str, Posterior] = _Settings(network, lambda setting: solved[setting][1])
    return Model(SolvedNetwork(network, bases, baseline), content, folder)


def value_at(model: Model, place: str) -> Any:
    """What stands at a place of the files.

    Raises:
        UnknownNameError: If there is no such place.
    """
    table, key = _find(model._content, place)
    return table[key]


def _put(content: Content, place: str, value: Any) -> None:
    table, key = _find(content, place, new=value is not REMOVED)
    if value is REMOVED:
        del table[key]
    else:
        table[key] = value


def _find(content: Any, place: str, *, new: bool = False) -> tuple[Any, Any]:
    """The table that a place stands in, and its key; in a list the key is the position of the entry with that id."""
    parts = place.split(".")
    table = content
    for depth, part in enumerate(parts):
        last = depth == len(parts) - 1
        key: Any = part
        if isinstance(table, list):
            key = next((k for k, entry in enumerate(table) if entry.get("id") == part), None)
        known = table if isinstance(table, dict) else ()
        found = key is not None if isinstance(table, list) else key in known
        if not found and not (last and new and isinstance(table, dict)):
            nearest = tuple(get_close_matches(part, map(str, known)))
            raise UnknownNameError("place", place, nearest, "the files of the model")
        if last:
            return table, key
        table = table[key]
    raise UnknownNameError("place", place, (), "the files of the model")


class _LazilySolved(dict[str, tuple[Bases, Posterior]]):
    """Bases and baseline of each setting, solved when they are asked for."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self._network = network

    def __missing__(self, setting: str) -> tuple[Bases, Posterior]:
        self[setting] = solve_setting(self._network, setting)
        return self[setting]


class _Settings(Mapping[str, Solved]):
    """A mapping of the care settings whose values are computed."""

    def __init__(self, network: Network, get: Callable[[str], Solved]) -> None:
        self._network = network
        self._get = get

    @cached_property
    def _names(self) -> list[str]:
        return [setting.id for setting in self._network.knowledge.settings]

    def __getitem__(self, setting: str) -> Solved:
        return self._get(setting)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
