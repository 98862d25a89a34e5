"""Mutants of how a sync comes to be: what was asked for, what was lost on its way, and the channels."""

from tests.simulation.mutants.switches import Mutant, mutant

REQUESTS: tuple[Mutant, ...] = (
    mutant(
        "serves-what-came-meanwhile",
        "R3",
        "A commit serves also what was asked for after its listing began.",
        ("core.leases:commit", '"served": checkpoint.requested,', '"served": calendar.requested,'),
    ),
    mutant(
        "does-not-list-again",
        "R4",
        "A sync ends though more was asked for while it ran.",
        ("core.leases:commit", "if moved.requested > moved.served or moved.to_observe:", "if False:"),
    ),
    mutant(
        "no-second-look",
        "R3",
        "A list that lags behind its notification is not listed again.",
        (
            "sync_calendar:sync_calendar",
            'if request.is_announced and outcome.status == "synced" and listing.listed == 0:',
            "if False:",
        ),
    ),
    mutant(
        "answers-before-the-task-exists",
        "R3",
        "A push is answered well though no task could be made.",
        (
            "receive_notification:ask_for_sync",
            "if task_queue.create(tasks.leading_sync(calendar_key, now, rules, origin)):\n        return",
            "from confsync.errors import TaskQueueError\n    try:\n"
            "        is_first = task_queue.create(tasks.leading_sync(calendar_key, now, rules, origin))\n"
            '    except TaskQueueError:\n        return Receipt(calendar_key, "none")\n'
            "    if is_first:\n        return",
        ),
    ),
    mutant(
        "no-trailing-task",
        "R3",
        "A notification that finds its window's leading task makes no other.",
        (
            "receive_notification:ask_for_sync",
            "task_queue.create(tasks.trailing_sync(calendar_key, now, rules, origin))",
            "False",
        ),
    ),
    mutant(
        "a-task-for-each-notification",
        "section 5",
        "A storm is not coalesced.",
        ("core.tasks:leading_sync", "{_bucket(now, rules)}", "{_stamp(now)}"),
    ),
    mutant(
        "put-off-without-a-task",
        "R18",
        "A sync that has to wait says so in the store only, and waits for the scheduled run.",
        ("sync_calendar:_defer", "outside.task_queue.create(tasks.sync_again(calendar, at))", "None"),
    ),
    mutant(
        "what-waits-has-no-task",
        "R18",
        "A conference that has to wait says so in the store only, and waits for the scheduled run.",
        (
            "update_conference:update_conference",
            "stored is not None and leave_task(stored, outside, terms)",
            "False",
        ),
    ),
    mutant(
        "what-changed-has-no-task",
        "R18",
        "What a sync changed and did not tell at once waits for the scheduled run.",
        (
            "sync_calendar:update_changed",
            "leave_task(conference, outside, terms)",
            "pass",
        ),
    ),
    mutant(
        "overdue-is-not-started",
        "L1",
        "What lost its task is never found in the store.",
        ("renew_channels:_start_overdue", "for record in page]", "for record in ()]"),
    ),
)

CHANNELS: tuple[Mutant, ...] = (
    mutant(
        "break-before-make",
        "R19",
        "The old channel is stopped before the new one is open.",
        (
            "open_channel:_open",
            "    try:\n        watched",
            '    [_stop(began, each, outside) for each in began.channels if each.state == "active"]\n'
            "    try:\n        watched",
        ),
    ),
    mutant(
        "pending-is-not-stored",
        "R19",
        "A channel is opened that nobody would know after a crash.",
        ("core.channels:begin_renewal", "_newest((*kept, new))", "_newest(kept)"),
    ),
    mutant(
        "old-channel-stays-open",
        "R19",
        "A replaced channel is never stopped.",
        ("open_channel:stop_retiring", "for channel in channels.retiring_channels(calendar):", "for channel in ():"),
    ),
    mutant(
        "loser-of-a-race-wins",
        "R19",
        "A renewal does not compare the channel that it replaces.",
        (
            "core.channels:finish_renewal",
            "lost = not is_known or (active.id if active else None) != (replaces.id if replaces else None)",
            "lost = False",
        ),
    ),
    mutant(
        "unknown-channel-lives",
        "R19",
        "A channel that a crash left open pushes on.",
        (
            "sync_calendar:_stop_unknown_channel",
            "if not channels.is_ours(calendar, request.channel_id, request.resource_id):",
            "if False:",
        ),
    ),
    mutant(
        "renewed-when-it-is-over",
        "R19",
        "A channel lapses before its successor is opened.",
        (
            "core.channels:renewal_time",
            "return expires_at - life / 4 - life / 8 * spread_of(calendar_key)",
            "return expires_at",
        ),
    ),
)

ASKED = (*REQUESTS, *CHANNELS)
