"""Receive one notification from the vendor's add-on: prove who sends it and for whom, ask for a sync, answer.

The other ingress beside Calendar's own push; what follows is the same (`receive_notification.ask_for_sync`). It must
never touch the store or Calendar, nor believe anything of the body that Google did not sign but the calendar's id: that
only says which of this user's calendars is synced.
"""

from datetime import datetime

from confsync.core.addon import AddonEvent, AddonTerms
from confsync.core.records import Calendar
from confsync.core.rules import Rules
from confsync.errors import NotificationRejected
from confsync.ports import IdTokens, TaskQueue
from confsync.receive_notification import Receipt, ask_for_sync


def receive_addon_notification(
    event: AddonEvent, addon: AddonTerms, id_tokens: IdTokens, task_queue: TaskQueue, now: datetime, *, rules: Rules
) -> Receipt:
    """Make sure that a sync of the user's calendar starts after this notification.

    Raises:
        NotificationRejected: not sent by the add-on's service account, or for nobody; no task was made.
        CertificatesUnavailable, TaskQueueError: no task could be made (503); the calendar's own schedule finds the
            change should nobody send it again.

    https://developers.google.com/workspace/add-ons/guides/alternate-runtimes#validate-requests-from-google

    """
    if id_tokens.email_of(event.system_id_token, addon.audience) != addon.service_account:
        raise NotificationRejected("the request was sent by another service account than the add-on's", 403)
    subject = id_tokens.email_of(event.user_id_token, addon.client_id)
    calendar_key = Calendar.key_for(addon.tenant, event.canonical_calendar_id(subject), subject)
    return ask_for_sync(calendar_key, {}, task_queue, now, rules)
