"""confsync keeps third-party video conferences in step with the Google Calendar events they belong to.

The life of one change, and the file where each step is:

1. Calendar pushes a notification; it is proven genuine and becomes a task   receive_notification
   or the vendor's add-on announces the change                               receive_addon_notification
2. the task claims the calendar's lease                                      sync_calendar, core/leases
3. what changed since the sync token is listed, page by page                 listing, listed_items
4. what each event means is decided, then what each conference should be     core/planning, core/binding, core/judging
5. observations, wanted states and progress are stored in one transaction    observe, leased_reader
6. the sync token moves with the last of them, never before                  core/leases
7. each changed conference: intent, call, answer                             update_conference, call_back_end
   an end waits, is looked at once more, may be held for an operator         end_conference, looking, hold_end
   a conference that cannot come back is replaced in its events              replace_conference, make_replacement,
                                                                             relink_event, core/replacing
   what only time changes is looked at again                                 review_conference, searching,
                                                                             core/reviewing
8. what was missed is found, channels are renewed                            renew_channels, open_channel

A calendar and its conferences enter through initialize_syncing; administer_calendar and administer_channels are what an
operator does, and forget_calendar what follows a removal. The outside world stands on one page, ports; adapters,
providers and local implement it; parts and worker_parts put a function together; doors answers what the worker is
asked.
"""
