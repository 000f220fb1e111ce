"""Importing this module switches off the usage reports of the libraries that this project uses.

Each library reads its environment variable at its first import, and processes started from here inherit them. So this
import comes before any other, in `slimnet` and in every program. It overwrites existing values, since the page promises
its visitors that nothing is sent to anybody. OpenTelemetry, which reports only where an operator or a program that uses
this one has set it up, is left to them here; demo.server.command switches it off for the page.
"""

import os

_SILENCE = {
    "GRADIO_ANALYTICS_ENABLED": "False",  # also stops the check for a newer version
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, through which gradio_client reports, too
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime's Linux wheels since 1.29, which also write a device id to ~/.cache
    "RAY_USAGE_STATS_ENABLED": "0",
    "DO_NOT_TRACK": "1",  # many libraries follow this convention; a later release of one might begin to report
}
os.environ.update(_SILENCE)
