"""Checks that a method keeps the contract of `Method`."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from torch import Tensor, nn

from i2i.errors import PluginError
from i2i.methods.method import Method, Terms

_NAME = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


def check_method(method: Method, title: str) -> None:
    """Check a method's networks, players, rounds, models and state.

    Args:
        method: The method.
        title: What to call it in messages, such as "method 'pix2pix' of i2i.methods".

    Raises:
        PluginError: If something is wrong; one line for each problem.
    """
    if found := [f"{title}: {problem}" for problem in _problems(method)]:
        raise PluginError(*found)
    state_of(method, title)


def check_terms(terms: Mapping[str, Terms], movers: tuple[str, ...], title: str) -> None:
    """Check the result of `Method.losses` for a round.

    Raises:
        PluginError: If a player has no losses, or a loss is not a scalar.
    """
    for player in movers:
        if not terms.get(player):
            raise PluginError(
                f"{title}: losses() has no terms for the player '{player}'; return at least one"
            )
        for name, term in terms[player].items():
            if not isinstance(term, Tensor) or term.ndim:
                what = f"shape {tuple(term.shape)}" if isinstance(term, Tensor) else f"{term!r}"
                raise PluginError(
                    f"{title}: the term '{name}' of '{player}' must be a scalar tensor, not {what}"
                )
    if others := terms.keys() - set(movers):
        raise PluginError(f"{title}: losses({movers}) also has terms for {_listed(others)}")


def state_of(method: Method, title: str) -> dict[str, Tensor]:
    """Return a method's state, checked.

    Raises:
        PluginError: If it is not made of plain tensors.
    """
    state = method.state_dict()
    if not isinstance(state, dict):
        raise PluginError(f"{title}: state_dict() must return a dict of tensors, not {state!r}")
    for name, value in state.items():
        if not isinstance(name, str) or type(value) is not Tensor:
            raise PluginError(
                f"{title}: state_dict() must have plain tensors by name; {name!r} is {value!r}"
            )
    return state


def _problems(method: Method) -> Iterator[str]:
    yield from _network_problems(method)
    yield from _round_problems(method)
    yield from _model_problems(method)


def _network_problems(method: Method) -> Iterator[str]:
    networks: Mapping[str, object] = method.networks
    for name, network in networks.items():
        if not isinstance(network, nn.Module):
            yield f"networks['{name}'] is no network but {network!r}"
    owned = Counter(name for own in method.players.values() for name in own)
    for name in networks.keys() - owned.keys():
        yield f"the network '{name}' belongs to no player; name it in players"
    for name, number in owned.items():
        if name not in networks:
            yield f"players name the network '{name}', which isn't in networks"
        elif number > 1:
            yield f"the network '{name}' belongs to {number} players; name it once"


def _round_problems(method: Method) -> Iterator[str]:
    moving = {player for players in method.rounds for player in players}
    for player in method.players.keys() - moving:
        yield f"the player '{player}' is in no round; name it in rounds"
    for player in moving - method.players.keys():
        yield f"rounds name the player '{player}', which isn't in players"
    for players in method.rounds:
        for player, number in Counter(players).items():
            if number > 1:
                yield f"a round names the player '{player}' {number} times; name it once"


def _model_problems(method: Method) -> Iterator[str]:
    if method.models.get("generator") != "forward":
        yield "models must have 'generator': 'forward', the default model"
    for name, direction in method.models.items():
        if name not in method.networks:
            yield f"models name the network '{name}', which isn't in networks"
        if not _NAME.fullmatch(name):
            yield f"the model '{name}' names files: use letters, digits and underscores only"
        if direction not in ("forward", "backward"):
            yield f"the model '{name}' must be 'forward' or 'backward', not {direction!r}"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"'{name}'" for name in sorted(names))
