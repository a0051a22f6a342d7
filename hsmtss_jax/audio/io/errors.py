"""Define the error and the warning of audio files."""


class AudioError(ValueError):
    """Signal an audio file that cannot be read or written; the message is one line and names the file."""


class AudioWarning(UserWarning):
    """Signal sound that a file promises and does not hold, or holds and does not promise; one line."""


def reason(error: Exception) -> str:
    """Return the last clause of libsndfile's or the system's message, in one line."""
    text = getattr(error, "error_string", None) or getattr(error, "strerror", None) or str(error)
    return " ".join(text.split()).rstrip(".")
