"""What people, their add-on and Calendar do in a simulation: guests, series, conferences, whole calendars.

Each method is a step of the workload tape, by its name. It must never look at what confsync stored.
"""

from datetime import timedelta
from typing import Any

from confsync.local.calendar_server.errors import DeletedCalendar
from confsync.local.calendar_server.people import addon_conference
from confsync.local.calendar_server.records import Role
from tests.simulation.gestures import CAROL, COPIED, ELSEWHERE, RULES, SUBJECTS, TEAM, V1, WRITERS, Gestures, Place
from tests.world import ANN, BOB, START, times

UNDONE = ("summary", "start", "end", "recurrence", "attendees", "description", "visibility", "status", "conferenceData")


class People(Gestures):
    """The people, and what they remember of their events."""

    def _undo(self, dice: tuple[int, ...]) -> None:
        """Make an event what it was before it was changed last."""
        place = self._place(dice)
        before = next((done.before for done in reversed(self.done) if done.place == place and done.before), None)
        if before is not None:
            self._patch(place, {name: before.body[name] for name in UNDONE if name in before.body})

    # Guests

    def _invite(self, dice: tuple[int, ...]) -> None:
        guests = [{"email": email} for email in (ANN, BOB, CAROL)[: 2 + dice[1] % 2]]
        self._patch(self._place(dice), {"attendees": guests, "guestsCanModify": dice[2] % 2 == 0})

    def _uninvite(self, dice: tuple[int, ...]) -> None:
        self._patch(self._place(dice), {"attendees": []})

    def _copy(self, dice: tuple[int, ...]) -> Place:
        """Return a guest's copy: of the event that the dice choose, or else of any."""
        place = self._place(dice)
        nearest = Place(BOB if place.calendar_id == ANN else ANN, place.event_id)
        copies = [Place(guest, known.event_id) for known in self.places for guest in (ANN, BOB)]
        found = [copy for copy in copies if self._is_guests(copy)]
        return nearest if nearest in found or not found else found[dice[0] % len(found)]

    def _is_guests(self, copy: Place) -> bool:
        newest = self._newest(copy)
        return newest is not None and newest.body.get("organizer", {}).get("email") != copy.calendar_id

    def _answer(self, dice: tuple[int, ...]) -> None:
        place = self._copy(dice)
        response = ("accepted", "declined", "tentative")[dice[1] % 3]
        guests = self._see(place).get("attendees", [])
        answered = [{**g, "responseStatus": response} if g["email"] == place.calendar_id else g for g in guests]
        self._patch(place, {"attendees": answered})

    def _decline_own(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        others = [g for g in self._see(place).get("attendees", []) if g["email"] != place.calendar_id]
        self._patch(place, {"attendees": [{"email": place.calendar_id, "responseStatus": "declined"}, *others]})

    def _invite_to_instance(self, dice: tuple[int, ...]) -> None:
        self._patch(self._instance(dice), {"attendees": [{"email": email} for email in (ANN, BOB)]})

    def _move_copy(self, dice: tuple[int, ...]) -> None:
        self._patch(self._copy(dice), self._hours(dice))

    def _drop_copy(self, dice: tuple[int, ...]) -> None:
        self._erase(self._copy(dice))

    def _take_copy_back(self, dice: tuple[int, ...]) -> None:
        self._patch(self._copy(dice), {"status": "confirmed"})

    # Series

    def _rename_instance(self, dice: tuple[int, ...]) -> None:
        self._patch(self._instance(dice), {"summary": f"Special {dice[4] % 2}"})

    def _move_instance(self, dice: tuple[int, ...]) -> None:
        self._patch(self._instance(dice), self._hours(dice))

    def _cancel_instance(self, dice: tuple[int, ...]) -> None:
        self._erase(self._instance(dice))

    def _restore_instance(self, dice: tuple[int, ...]) -> None:
        self._patch(self._instance(dice), {"status": "confirmed"})

    def _strip_instance(self, dice: tuple[int, ...]) -> None:
        self._patch(self._instance(dice), {"conferenceData": None})

    def _rebook_instance(self, dice: tuple[int, ...]) -> None:
        self._book(self._instance(dice), dice)

    def _split(self, dice: tuple[int, ...]) -> None:
        self._cut(dice, self._title(dice))

    def _split_elsewhere(self, dice: tuple[int, ...]) -> None:
        place = self._instance(dice)
        seen = self._see(place)
        self._cut(
            dice,
            {**dict(times(START + timedelta(days=20, hours=dice[3] % 5))), "summary": seen.get("summary", "Later")},
        )

    def _cut(self, dice: tuple[int, ...], changes: dict[str, Any]) -> None:
        place = self._instance(dice)
        self._touch(self._series(dice))
        new = self.model.edit_this_and_following(place.writer, place.calendar_id, place.event_id, changes)
        self._found(Place(place.calendar_id, str(new["id"])))

    def _cut_off(self, dice: tuple[int, ...]) -> None:
        place = self._instance(dice)
        self._touch(self._series(dice))
        self.model.delete_this_and_following(place.writer, place.calendar_id, place.event_id)

    def _edit_all(self, dice: tuple[int, ...]) -> None:
        place = self._touch(self._series(dice))
        self.model.edit_all(place.writer, place.calendar_id, place.event_id, self._title(dice))

    def _reschedule_series(self, dice: tuple[int, ...]) -> None:
        self._patch(self._series(dice), {"recurrence": [RULES[dice[1] % len(RULES)]]})

    # Conferences

    def _remove_conference(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        self._remember(place, "conferenceData")
        self._patch(place, {"conferenceData": None})

    def _replace_conference(self, dice: tuple[int, ...]) -> None:
        self._book(self._place(dice), dice)

    def _book(self, place: Place, dice: tuple[int, ...]) -> None:
        conference_id = self._new_conference()
        self._patch(place, {"conferenceData": addon_conference(conference_id)})
        self.register(place.calendar_id, conference_id, place.event_id, (0, 1, 30)[dice[5] % 3])

    def _put_back_conference(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        before = self.earlier.get(place, {}).get("conferenceData")
        if before or self.conferences:
            chosen = before or addon_conference(self.conferences[dice[1] % len(self.conferences)])
            self._patch(place, {"conferenceData": chosen})

    def _meet(self, dice: tuple[int, ...]) -> None:
        self._ask_for_meet(self._place(dice), "success", dice)

    def _meet_pending(self, dice: tuple[int, ...]) -> None:
        self._ask_for_meet(self._place(dice), "pending", dice)

    def _ask_for_meet(self, place: Place, outcome: Any, dice: tuple[int, ...]) -> None:
        self.model.options.meet = outcome
        request = {"requestId": f"r{dice[4]}", "conferenceSolutionKey": {"type": "hangoutsMeet"}}
        self._patch(place, {"conferenceData": {"createRequest": request}})

    def _meet_settles(self, dice: tuple[int, ...]) -> None:
        for calendar_id in WRITERS:
            self.model.settle_conferences(calendar_id, ("success", "failure")[dice[1] % 2])

    def _forge(self, dice: tuple[int, ...]) -> None:
        if self.conferences:
            forged = addon_conference(self.conferences[dice[1] % len(self.conferences)])
            body = {"summary": "Forged", **self._hours(dice), "conferenceData": forged}
            self._insert((BOB, TEAM, ANN)[dice[2] % 3], body)

    def _copy_across(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        body = {k: v for k, v in self._see(place).items() if k in COPIED} | {"summary": "Mirrored"}
        self._insert((TEAM, BOB, ANN)[dice[1] % 3], body)

    def _register_again(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        data = self._see(place).get("conferenceData", {})
        if str(data.get("conferenceId", "")).startswith("c") and place.calendar_id in SUBJECTS:
            self.register(place.calendar_id, data["conferenceId"], place.event_id, 0)

    def _register_unborn(self, dice: tuple[int, ...]) -> None:
        event_id, conference_id = f"unborn{dice[4]}", self._new_conference()
        self.register(ANN, conference_id, event_id, 0)
        data = addon_conference(conference_id)
        self._insert(ANN, {"id": event_id, **self._title(dice), **self._hours(dice), "conferenceData": data})

    def _discard_draft(self, dice: tuple[int, ...]) -> None:
        self.drafts.append(self._new_conference())
        self.register(ANN, self.drafts[-1], f"draft{dice[4]}", 0)

    def _save_draft(self, dice: tuple[int, ...]) -> None:
        """Save the draft that the same dice had left, after all."""
        if self.drafts:
            data = addon_conference(self.drafts[-1])
            body = {"id": f"draft{dice[4]}", **self._title(dice), **self._hours(dice), "conferenceData": data}
            self._insert(ANN, body)

    def _import(self, dice: tuple[int, ...]) -> None:
        named = self.conferences[dice[1] % len(self.conferences)] if self.conferences else "c0"
        body = {"iCalUID": f"import{self.step}@other.example.com", "summary": "Imported", **self._hours(dice)}
        body |= {"organizer": {"email": "zoe@other.example.com"}, "conferenceData": addon_conference(named)}
        calendar_id = (ANN, BOB, TEAM)[dice[2] % 3]
        event = self.model.import_(WRITERS[calendar_id], calendar_id, body, V1)
        self._found(Place(calendar_id, str(event["id"])))

    def _focus(self, dice: tuple[int, ...]) -> None:
        self.model.insert(ANN, ANN, {"summary": "Focus", **self._hours(dice), "eventType": "focusTime"}, V1)

    # Calendars

    def _move(self, dice: tuple[int, ...]) -> None:
        self._move_to(self._place(dice), (TEAM, BOB, ANN, ELSEWHERE)[dice[1] % 4])

    def _move_back(self, dice: tuple[int, ...]) -> None:
        place = self._place(dice)
        came_from = [source for event_id, source, _ in self.moves if event_id == place.event_id]
        self._move_to(place, came_from[-1] if came_from else (ANN, TEAM)[dice[1] % 2])

    def _move_to(self, place: Place, destination: str) -> None:
        self._touch(place)
        self.model.move(ANN, place.calendar_id, place.event_id, {"destination": destination})
        self._moved(place, destination)

    def _moved(self, place: Place, destination: str) -> None:
        self.moves.append((place.event_id, place.calendar_id, destination))
        self.places[self.places.index(place)] = Place(destination, place.event_id)  # the same dice mean it now

    def _give_away(self, dice: tuple[int, ...]) -> None:
        """Hand an event over to a colleague who drops it at once, or books another conference; nobody sees it there."""
        place = self._place(dice)
        heir = ANN if place.calendar_id == BOB else BOB
        self._patch(place, {"attendees": [{"email": place.calendar_id}] * (dice[3] % 3 > 0)})
        self._move_to(place, heir)
        given = Place(heir, place.event_id)
        if dice[2] % 2:
            self._erase(given)
        else:
            self._book(given, dice)

    def _change_owner(self, dice: tuple[int, ...]) -> None:
        place, heir = self._touch(self._place(dice)), (BOB, CAROL, ANN)[dice[1] % 3]
        giver = CAROL if place.calendar_id == CAROL else ANN
        self.model.change_owner(giver, place.calendar_id, place.event_id, heir)
        if heir != place.calendar_id:
            self._moved(place, heir)

    def _reduce_role(self, dice: tuple[int, ...]) -> None:
        roles: tuple[Role, ...] = ("reader", "freeBusyReader", "none")
        self.model.share(TEAM, {BOB: roles[dice[1] % 3]})

    def _return_role(self, _: tuple[int, ...]) -> None:
        self.give_access_back()

    def give_access_back(self) -> None:
        """Let Bob own the team calendar again, which support brings back if it was deleted."""
        self.model.state.calendars[TEAM].deleted = False
        self.model.share(TEAM, {BOB: "owner"})

    def _delete_calendar(self, dice: tuple[int, ...]) -> None:
        answers: tuple[DeletedCalendar, ...] = ("notFound", "deleted403", "gone")
        self.model.options.deleted_calendar = answers[dice[1] % 3]
        self.model.calendar_delete(CAROL, TEAM)
        self.model.share(TEAM, {BOB: "none"})  # nobody sees it until support brings it back

    def _clear(self, dice: tuple[int, ...]) -> None:
        place = self._touch(self._place(dice))
        self.model.calendar_clear(place.writer, place.calendar_id)

    def _expire_tokens(self, dice: tuple[int, ...]) -> None:
        self.model.expire_sync_tokens((None, ANN, BOB, TEAM)[dice[1] % 4])
