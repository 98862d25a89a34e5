"""What a conferencing add-on hands to Calendar. Pure data in Google's form."""

from collections.abc import Mapping

from .errors import Json


def addon_conference(
    conference_id: str,
    *,
    solution: str = "Sample Meetings",
    uri: str | None = None,
    parameters: Mapping[str, str] | None = None,
    notes: str | None = None,
) -> Json:
    """Build conferenceData as a conferencing add-on hands it to Calendar."""
    data: Json = {
        "conferenceId": conference_id,
        "conferenceSolution": {
            "key": {"type": "addOn"},
            "name": solution,
            "iconUri": "https://meetings.example.com/icon.png",
        },
        "entryPoints": [
            {
                "entryPointType": "video",
                "uri": uri or f"https://meetings.example.com/j/{conference_id}",
                "label": f"meetings.example.com/j/{conference_id}",
                "meetingCode": conference_id,
            }
        ],
        "parameters": {"addOnParameters": {"parameters": dict(parameters or {"conferenceId": conference_id})}},
    }
    return data | ({"notes": notes} if notes else {})
