"""What the API refuses, in Google's canonical codes.

It must never know about REST or gRPC objects: the two edges translate.
Source: https://github.com/googleapis/googleapis/blob/master/google/rpc/code.proto
"""

HTTP_STATUS = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "PERMISSION_DENIED": 403,
    "NOT_FOUND": 404,
    "ALREADY_EXISTS": 409,
    "ABORTED": 409,
    "UNIMPLEMENTED": 501,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}
"""The HTTP status of each canonical code that this server answers."""

RPC_CODES = {
    400: 3,
    401: 16,
    403: 7,
    404: 5,
    409: 10,
    429: 8,
    499: 1,
    500: 13,
    501: 12,
    503: 14,
    504: 4,
}
"""The number of the canonical code that a worker's HTTP status counts as; any other is UNKNOWN (2)."""


class ApiError(Exception):
    """A call that is answered with an error; `code` is the name of a canonical code."""

    def __init__(self, code: str, message: str) -> None:
        """Keep the code (a key of `HTTP_STATUS`) and the message that the caller reads."""
        super().__init__(message)
        self.code = code
        self.message = message


def invalid(message: str) -> ApiError:
    """Say that the request itself is wrong."""
    return ApiError("INVALID_ARGUMENT", message)


def not_served(message: str) -> ApiError:
    """Say that Google has this, and that this server has not."""
    return ApiError("UNIMPLEMENTED", message)
