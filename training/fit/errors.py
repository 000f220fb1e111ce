"""The error that ends a run with a sentence instead of a traceback."""


class TrainingError(RuntimeError):
    """The run cannot go on; the message says why and what is kept."""
