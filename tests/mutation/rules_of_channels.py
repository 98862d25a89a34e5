"""Named mutants of the modules around channels, reconciliation and what an operator does to a calendar."""

from tests.mutation.mutants import Rule

CHANNELS = (
    Rule(
        "expired-is-kept",
        "if not is_over(c, now) and not _is_abandoned(c, stale)",
        "if not _is_abandoned(c, stale)",
        "R19: nothing piles up",
    ),
    Rule(
        "abandoned-is-kept",
        "if not is_over(c, now) and not _is_abandoned(c, stale)",
        "if not is_over(c, now)",
        "R19: a crash leaves no pile",
    ),
    Rule(
        "channels-pile-up",
        "return tuple(c for c in channels if c.id not in forgotten)",
        "return channels",
        "three channels at most",
    ),
    Rule("a-foreign-channel-is-ours", "channel.id == channel_id and ", "", "R19: an unknown channel is stopped"),
    Rule(
        "race-is-not-noticed",
        "lost = not is_known or (active.id if active else None) != (replaces.id if replaces else None)",
        "lost = False",
        "R19: the loser of a race stops its own",
    ),
    Rule(
        "still-polled-though-watched",
        'if calendar.state != "poll_only":\n        return calendar\n    return',
        "return calendar\n    return",
        "what can be watched by now is polled no more",
    ),
    Rule(
        "no-back-off",
        "rules.renewal_backoff_s(calendar.failed_renewals)",
        "rules.renewal_backoff_s(0)",
        "renewals in vain come later each time",
    ),
    Rule("retry-after-is-ignored", "max(backoff_s, wait_s)", "backoff_s", "R18: as long as Calendar asked"),
    Rule(
        "failures-come-back-together",
        "(0.75 + 0.5 * spread_of(calendar.key))",
        "1",
        "what failed together does not come back together",
    ),
    Rule(
        "still-polled-is-news",
        'if calendar.state == "poll_only":\n        return calendar.model_copy(update={"reason"',
        'if False:\n        return calendar.model_copy(update={"reason"',
        "a second refusal is no change of state",
    ),
    Rule(
        "polled-for-ever",
        '"renew_at": now + timedelta(seconds=rules.watch_again_s)}',
        '"renew_at": None}',
        "whether it can be watched is tried again",
    ),
    Rule("renewed-too-late", "expires_at - life / 4 - life", "expires_at - life", "renewed a quarter early"),
    Rule("renewed-together", "life / 8 * spread_of(calendar_key)", "life / 8", "registered together, renewed apart"),
)

REFUSALS = (
    Rule(
        "an-open-channel-is-forgotten",
        "        case CalendarUnavailable():\n            return",
        "        case PushNotSupported():\n            return",
        "R19: what was not answered may be open",
    ),
    Rule(
        "the-quota-is-asked-again-at-once",
        "max(wait_s, rules.quota_pause_s)",
        "wait_s",
        "the user may be read-only for hours",
    ),
    Rule("what-passes-is-an-incident", "reason, alert=False)", "reason, is_news)", "an operator can mend nothing"),
    Rule(
        "an-incident-is-told-again",
        "reason not in (calendar.channel_error, calendar.reason)",
        "True",
        "an operator hears of it once",
    ),
    Rule(
        "frozen-again-is-news",
        'is_news and calendar.state != "frozen"',
        "is_news",
        "the sync told of the lost access before",
    ),
    Rule(
        "a-frozen-calendar-is-put-off",
        'refused if calendar.state == "frozen" else leases.freeze',
        "leases.freeze",
        "48: retried slowly",
    ),
)

RECONCILIATION = (
    Rule(
        "asked-for-is-a-reconciliation",
        "calendar.requested != calendar.served",
        "False",
        "what a lost task was for was announced",
    ),
    Rule(
        "polled-is-missed",
        'calendar.state != "active"',
        "False",
        "nothing announces the changes of a calendar that is polled",
    ),
    Rule(
        "late-start-is-missed",
        "return now <= calendar.due_at + timedelta(seconds=rules.overdue_s + rules.missed_after_s)",
        "return True",
        "the tasks of notifications may wait in the same queue",
    ),
    Rule("late-listing-is-missed", "synced_at < at <= latest", "at <= latest", "the list only lagged behind"),
    Rule("on-its-way-is-missed", "synced_at < at <= latest", "synced_at < at", "a notification may be late"),
    Rule("missed-is-not-counted", "calendar.missed + missed", "calendar.missed", "the figure is kept"),
    Rule(
        "interval-stays",
        "of_late = min(calendar.missed_of_late + 1, MOST_HALVINGS)",
        "of_late = calendar.missed_of_late",
        "who missed something is looked at more often",
    ),
    Rule(
        "interval-never-recovers",
        "max(0, calendar.missed_of_late - 1)",
        "calendar.missed_of_late",
        "and as slowly as before when nothing is missed",
    ),
    Rule(
        "reconciled-together",
        "(0.75 + 0.25 * spread_of(calendar.key))",
        "1",
        "a thousand calendars are not due at once",
    ),
)

CALENDAR_STATES = (
    Rule(
        "pause-keeps-the-fence",
        'update = {"fence": calendar.fence + 1, "lease": None, "renew_at": None, "channels": retiring}',
        'update = {"lease": None, "renew_at": None, "channels": retiring}',
        "R2: each change of state raises the fence",
    ),
    Rule(
        "paused-is-renewed",
        '"lease": None, "renew_at": None, "channels": retiring}',
        '"lease": None, "channels": retiring}',
        "a paused calendar is not watched",
    ),
    Rule(
        "paused-is-due",
        'return left_alone.model_copy(update={"due_at": None})',
        "return left_alone",
        "a paused calendar is not synced",
    ),
    Rule(
        "removal-keeps-the-token",
        "gone = drop_token(_left_alone(calendar))",
        "gone = _left_alone(calendar)",
        "R5: added again, everything is listed",
    ),
    Rule("resync-keeps-the-token", "dropped = drop_token(calendar)", "dropped = calendar", "resync drops the token"),
    Rule(
        "resync-does-not-supersede",
        'anew = {"fence": calendar.fence + 1, "lease": None, "quota_until": None}',
        'anew = {"quota_until": None}',
        "R2: a sync under way may not commit its token",
    ),
    Rule(
        "resumed-unwatched",
        '"fence": calendar.fence + 1, "lease": None, "renew_at": now}',
        '"fence": calendar.fence + 1, "lease": None}',
        "its channel comes first",
    ),
    Rule(
        "forgotten-at-once",
        'now if forget == "now" else now + timedelta(seconds=rules.retention_s)',
        "now",
        "added again within a month, it is as it was",
    ),
)
