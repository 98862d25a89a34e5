"""gcal-sync, an independent client that was written against Google, keeps its store in step with this server."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import aiohttp
from gcal_sync.api import GoogleCalendarService, LocalListEventsRequest
from gcal_sync.auth import AbstractAuth
from gcal_sync.sync import CalendarEventSyncManager, CalendarListSyncManager

from confsync.local.calendar_server.people import Person
from confsync.local.calendar_server.serve import RunningServer
from tests.local.calendar_server.support import ADA, BOB, START, plain_http


class Token(AbstractAuth):
    """Sign in as Ada."""

    async def async_get_access_token(self) -> str:
        """Return the local server's kind of token."""
        return ADA


def with_service(server: RunningServer, act: Callable[[GoogleCalendarService], Awaitable[None]]) -> None:
    """Run a client against the server."""

    async def run() -> None:
        async with aiohttp.ClientSession() as session:
            await act(GoogleCalendarService(Token(session, host=f"{server.url}/calendar/v3")))

    asyncio.run(run())


async def titles(manager: CalendarEventSyncManager) -> list[str]:
    """Return the titles in the client's store, a week around the start."""
    request = LocalListEventsRequest(start_time=START, end_time=START + timedelta(days=7))
    found = await manager.store_service.async_list_events(request)
    return sorted(event.summary for event in found.events)


def test_full_and_incremental_sync(server: RunningServer) -> None:
    """The store follows inserts, edits and deletions, and recovers from an expired token."""

    async def act(service: GoogleCalendarService) -> None:
        manager = CalendarEventSyncManager(service, calendar_id=ADA)
        with Person(server.url, ADA) as ada, plain_http(server.url) as http:
            first = ada.create("First", START, guests=[BOB])["id"]
            second = ada.create("Second", START)["id"]
            await manager.run()
            assert await titles(manager) == ["First", "Second"]
            ada.rename(first, "Renamed")
            ada.delete(second)
            ada.create_weekly("Weekly", START, time_zone="Europe/Berlin")
            await manager.run()
            assert await titles(manager) == ["Renamed", "Weekly"]
            http.post("/_local/expire_sync_tokens", json={}).raise_for_status()
            ada.delete(first)
            await manager.run()
            assert await titles(manager) == ["Weekly"]

    with_service(server, act)


def test_exceptions_of_a_series(server: RunningServer) -> None:
    """A changed and a cancelled occurrence are understood."""

    async def act(service: GoogleCalendarService) -> None:
        manager = CalendarEventSyncManager(service, calendar_id=ADA)
        with Person(server.url, ADA) as ada:
            rule = ["RRULE:FREQ=DAILY;COUNT=3"]
            series = ada.create("Daily", START, recurrence=rule, time_zone="Europe/Berlin")["id"]
            await manager.run()
            assert await titles(manager) == ["Daily"] * 3
            ids = [item["id"] for item in ada.occurrences(series)]
            ada.rename(ids[0], "Special")
            ada.delete(ids[1])
            await manager.run()
            assert await titles(manager) == ["Daily", "Special"]

    with_service(server, act)


def test_the_calendar_list(server: RunningServer) -> None:
    """The list of calendars is synchronised with its own token."""

    async def act(service: GoogleCalendarService) -> None:
        manager = CalendarListSyncManager(service)
        await manager.run()
        await manager.run()
        listed = await manager.store_service.async_list_calendars()
        assert ADA in {calendar.id for calendar in listed.calendars}

    with_service(server, act)
