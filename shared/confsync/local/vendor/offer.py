"""What this vendor has to offer an event: its conference solution, and the conference data that lead into a conference.

An add-on hands the same to Calendar when a user picks the solution. It must never put anything of the event into it.
https://developers.google.com/workspace/calendar/api/v3/reference/events#conferenceData
"""

from typing import Any

SOLUTION_NAME = "Sample Meetings"
"""As the vendor told confsync in `CONFERENCE_SOLUTIONS`: by it confsync knows the vendor's conferences."""


def conference_data(conference_id: str, join_address: str) -> dict[str, Any]:
    """Return what an event is to hold; `join_address` begins every link of this vendor."""
    uri = join_address + conference_id
    return {
        "conferenceId": conference_id,
        "conferenceSolution": {"key": {"type": "addOn"}, "name": SOLUTION_NAME},
        "entryPoints": [
            {"entryPointType": "video", "uri": uri, "label": uri.partition("://")[2], "meetingCode": conference_id}
        ],
    }
