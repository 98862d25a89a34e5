"""The one error of the Calendar API and its JSON body. Nothing here may know about HTTP frameworks."""

from typing import Any, Literal

Json = dict[str, Any]

DeletedCalendar = Literal["notFound", "deleted403", "gone"]
"""Answers that a deleted calendar may give."""


class ApiError(Exception):
    """Report a refused request the way Google does.

    Source: https://developers.google.com/workspace/calendar/api/guides/errors
    """

    def __init__(
        self,
        status: int,
        reason: str,
        message: str,
        *,
        domain: str = "global",
        location: str | None = None,
        location_type: str = "parameter",
        rpc_status: str | None = None,
        details: list[Json] | None = None,
    ) -> None:
        super().__init__(f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.domain = domain
        self.location = location
        self.location_type = location_type
        self.rpc_status = rpc_status
        self.details = details

    def to_json(self) -> Json:
        """Return the error body; `status` and `details` appear only in the newer form that some errors have."""
        first: Json = {"domain": self.domain, "reason": self.reason, "message": self.message}
        if self.location is not None:
            first |= {"locationType": self.location_type, "location": self.location}
        error: Json = {"errors": [first], "code": self.status, "message": self.message}
        if self.rpc_status is not None:
            error["status"] = self.rpc_status
        if self.details is not None:
            error["details"] = self.details
        return {"error": error}


def invalid(message: str = "Invalid Value", location: str | None = None) -> ApiError:
    """Build the 400 that answers a malformed value."""
    return ApiError(400, "invalid", message, location=location)


def required(message: str) -> ApiError:
    """Build the 400 that answers a missing value."""
    return ApiError(400, "required", message)


def not_found() -> ApiError:
    """Build the 404 of an unknown calendar or event, which also hides what the caller may not see."""
    return ApiError(404, "notFound", "Not Found")


def writer_needed() -> ApiError:
    """Build the 403 of a caller who may only read."""
    return ApiError(403, "requiredAccessLevel", "You need to have writer access to this calendar.", domain="calendar")


def organizer_needed(message: str) -> ApiError:
    """Build the 403 of a guest who changes what belongs to the organizer."""
    return ApiError(403, "forbiddenForNonOrganizer", message, domain="calendar")


def full_sync_required() -> ApiError:
    """Build the 410 of a sync token that has expired."""
    return ApiError(
        410,
        "fullSyncRequired",
        "Sync token is no longer valid, a full sync is required.",
        domain="calendar",
        location="syncToken",
    )


def already_deleted() -> ApiError:
    """Build the 410 of deleting an event twice."""
    return ApiError(410, "deleted", "Resource has been deleted")


def calendar_deleted(form: DeletedCalendar) -> ApiError:
    """Build the answer to every call about a calendar that was deleted: 404, 403 `forbidden` or 410 `deleted`."""
    if form == "deleted403":
        return ApiError(403, "forbidden", "Forbidden")
    return already_deleted() if form == "gone" else not_found()


def condition_not_met() -> ApiError:
    """Build the 412 of an If-Match that names an older version."""
    return ApiError(412, "conditionNotMet", "Precondition Failed", location="If-Match", location_type="header")


def bad_credentials() -> ApiError:
    """Build the 401 of a missing or unknown bearer token."""
    return ApiError(
        401,
        "authError",
        "Invalid Credentials",
        location="Authorization",
        location_type="header",
        rpc_status="UNAUTHENTICATED",
    )


def account_suspended() -> ApiError:
    """Build the 401 of a suspended user; with real sign-ins the token endpoint refuses earlier, as `invalid_grant`.

    Source: https://cloud.google.com/apis/design/errors (ErrorReason ACCOUNT_STATE_INVALID)
    """
    error = bad_credentials()
    error.details = [
        {
            "@type": "type.googleapis.com/google.rpc.ErrorInfo",
            "reason": "ACCOUNT_STATE_INVALID",
            "domain": "googleapis.com",
        }
    ]
    return error
