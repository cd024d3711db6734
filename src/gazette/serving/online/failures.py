"""Why a worker does not answer a request."""


class OverloadedError(Exception):
    """The queue is full, or the request would wait longer than its deadline; `seconds` until it may be tried again."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"the queue is full; try again in {seconds} s")
        self.seconds = seconds


class InferenceError(Exception):
    """The bundle failed on a request's texts."""
