"""The same agreement in the other variants of Calendar, with duplicates, new owners and an emptied trash."""

import random

import pytest

from tests.local.calendar_server.support import TEAM
from tests.local.calendar_server.test_convergence import (
    PEOPLE,
    World,
    check_convergence,
    check_copies,
    followers,
    unfolders,
)


class WiderWorld(World):
    """A world in which more is done, and conferences get lost on the way."""

    def __init__(self) -> None:
        super().__init__()
        self.moves = (*self.moves, self.duplicate, self.change_owner)
        options = self.model.options
        options.split_keeps_conference = options.duplicate_keeps_conference = False
        options.restore_keeps_conference = options.move_keeps_conference = False
        options.tombstone_conference = False

    def duplicate(self, a: int, _: int) -> None:
        user, calendar_id, event_id = self._pick(a)
        self._add(user, calendar_id, self.model.duplicate(user, calendar_id, event_id))

    def change_owner(self, a: int, b: int) -> None:
        event = self.model.change_owner(*self._pick(a), PEOPLE[b % 3])
        self.ids.append((PEOPLE[b % 3], "primary", event["id"]))


def empty_the_trash(world: World) -> None:
    """Let a month pass and forget what was deleted before."""
    world.clock.advance(days=31)
    for calendar_id in (*PEOPLE, TEAM):
        world.model.forget_deleted(calendar_id)


@pytest.mark.parametrize("seed", range(6))
def test_random_walks_converge_in_the_other_variants(seed: int) -> None:
    """Without the conferences that Calendar may drop, clients agree with fresh lists and guests with organizers."""
    world, dice = WiderWorld(), random.Random(seed)  # noqa: S311  (repeatable, not secret)
    clients = followers(world.model)
    for _ in range(120):
        world.act(dice.randrange(20), dice.randrange(40), dice.randrange(40))
        if dice.random() < 0.5:
            dice.choice(clients).read_page()
    check_convergence(world.model, clients)
    check_copies(world.model)


@pytest.mark.parametrize("single", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_an_emptied_trash_misleads_nobody(seed: int, *, single: bool) -> None:
    """Clients who were away while deletions were forgotten agree with fresh lists in the end."""
    world, dice = World("cut", "cut_off", "edit_all") if single else World(), random.Random(seed)  # noqa: S311  (repeatable, not secret)
    clients = unfolders(world.model) if single else followers(world.model)
    for number in range(120):
        world.act(dice.randrange(18), dice.randrange(40), dice.randrange(40))
        if dice.random() < 0.3:
            dice.choice(clients).read_page()
        if number % 40 == 39:
            empty_the_trash(world)
    check_convergence(world.model, clients)
