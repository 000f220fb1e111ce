"""The demo: finds faces in a picture or a camera's frame, aligns them, and shows SlimNet's attributes for each."""

import slimnet.telemetry  # noqa: F401  # before anything else is imported
