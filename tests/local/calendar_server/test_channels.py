"""events.watch and channels.stop: channels as they are asked for and answered."""

import pytest

from confsync.local.calendar_server.errors import Json
from tests.local.calendar_server.support import ADA, BOB, START, TEAM, CheckedModel, Clock, refusal

HOOK = "https://hooks.example.com/notify"


def channel(channel_id: str = "channel-1", **more: object) -> Json:
    """Return a watch request."""
    return {"id": channel_id, "type": "web_hook", "address": HOOK, **more}


def expiry_s(model: CheckedModel, clock: Clock, **more: object) -> float:
    """Return how long a new channel lasts, in seconds."""
    answer = model.watch(ADA, "primary", {**channel(), **more})
    return float(int(answer["expiration"]) / 1000 - clock.time.timestamp())


def test_the_answer_names_the_resource(model: CheckedModel) -> None:
    """`primary` stays unresolved in the URI; the resource id is the calendar's, whoever asks."""
    answer = model.watch(ADA, "primary", channel(token="t=1"))
    assert answer["resourceUri"] == "https://www.googleapis.com/calendar/v3/calendars/primary/events?alt=json"
    assert (answer["kind"], answer["token"]) == ("api#channel", "t=1")
    assert answer["resourceId"] == model.watch(ADA, ADA, channel("2"))["resourceId"]
    assert answer["resourceId"] != model.watch(ADA, TEAM, channel("3"))["resourceId"]
    assert "token" not in model.watch(ADA, TEAM, channel("4"))


def test_channels_last_a_week_unless_told(model: CheckedModel, clock: Clock) -> None:
    """The default is 604800 s; ttl and expiration are honoured up to the server's own limit."""
    assert expiry_s(model, clock) == pytest.approx(604800, abs=2)
    assert expiry_s(model, clock, id="a", params={"ttl": "3600"}) == pytest.approx(3600, abs=2)
    wanted_ms = int(START.timestamp() * 1000) + 7_200_000
    assert expiry_s(model, clock, id="b", expiration=wanted_ms) == pytest.approx(7200, abs=2)
    model.options.channel_ttl_cap_s = 60
    assert expiry_s(model, clock, id="c") == pytest.approx(60, abs=2)


@pytest.mark.parametrize(
    ("request_body", "reason"),
    [
        ({"type": "web_hook", "address": HOOK}, "required"),
        (channel("x" * 65), "invalid"),
        (channel("with space"), "invalid"),
        (channel(token="x" * 257), "invalid"),
        (channel(type="pigeon"), "push.channelTypeNotSupported"),
        (channel(address=""), "required"),
        (channel(address="http://hooks.example.com/"), "push.webhookUrlNotHttps"),
        (channel(address="http://127.0.0.1.example.com/"), "push.webhookUrlNotHttps"),
        (channel(expiration=1), "invalid"),
    ],
)
def test_unusable_channels_are_refused(model: CheckedModel, request_body: Json, reason: str) -> None:
    """What Google refuses is refused with its reason, the prefix included."""
    assert refusal(model.watch, ADA, "primary", request_body) == (400, reason)


def test_the_longest_values_are_accepted(model: CheckedModel) -> None:
    """64 characters of id, 256 of token, and plain http on 127.0.0.1."""
    model.watch(ADA, "primary", channel("x" * 64, token="y" * 256, address="http://127.0.0.1:8080/notify"))


def test_an_id_is_used_once(model: CheckedModel, clock: Clock) -> None:
    """A second channel of the same id is refused, even after the first was stopped, until that has expired."""
    answer = model.watch(ADA, "primary", channel(params={"ttl": "60"}))
    assert refusal(model.watch, BOB, "primary", channel()) == (400, "channelIdNotUnique")
    model.stop(ADA, answer)
    assert refusal(model.watch, ADA, "primary", channel()) == (400, "channelIdNotUnique")
    clock.advance(seconds=61)
    model.watch(ADA, "primary", channel())


def test_some_calendars_cannot_be_watched(model: CheckedModel) -> None:
    """A calendar flagged so answers pushNotSupportedForRequestedResource."""
    model.add_calendar("holidays@group.v.calendar.google.com", ADA, push_supported=False)
    watch = (ADA, "holidays@group.v.calendar.google.com", channel())
    assert refusal(model.watch, *watch) == (400, "pushNotSupportedForRequestedResource")


def test_only_who_opened_a_channel_stops_it(model: CheckedModel) -> None:
    """Stopping needs id, resource id and the same user; what is gone is not found."""
    answer = model.watch(ADA, "primary", channel())
    wrong = {"id": answer["id"], "resourceId": "other"}
    assert refusal(model.stop, ADA, wrong) == (404, "notFound")
    assert refusal(model.stop, BOB, answer) == (404, "notFound")
    model.stop(ADA, {"id": answer["id"], "resourceId": answer["resourceId"]})
    assert refusal(model.stop, ADA, answer) == (404, "notFound")
    assert model.open_channels(ADA) == []


def test_expired_channels_are_silent(model: CheckedModel, clock: Clock) -> None:
    """A channel is open until its expiration and cannot be stopped after."""
    answer = model.watch(ADA, "primary", channel(params={"ttl": "60"}))
    assert [c.id for c in model.open_channels(ADA)] == ["channel-1"]
    clock.advance(seconds=61)
    assert model.open_channels(ADA) == []
    assert refusal(model.stop, ADA, answer) == (404, "notFound")


def test_watching_needs_access(model: CheckedModel) -> None:
    """A stranger's calendar cannot be watched."""
    assert refusal(model.watch, BOB, TEAM, channel()) == (404, "notFound")
