"""The one error of the local stack. It must never be raised without a message that a newcomer can act on."""


class StackError(Exception):
    """The stack cannot start or go on; the message names the part, what is wrong and the way out."""
