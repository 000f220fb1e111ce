"""Training and evaluation of SlimNet on CelebA."""

import slimnet.telemetry  # noqa: F401  # before anything else is imported
