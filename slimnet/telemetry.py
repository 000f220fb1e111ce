"""Keeps the libraries that this project is built on from reporting how it is used: importing this switches it off.

All of it goes by environment variables, which each library reads at its first import and which processes started from
here inherit. So this comes before any other import, in `slimnet` and in every program. What the environment says of
them already is overwritten: the page promises its visitors that nothing is sent to anybody.
"""

import os

_SILENCE = {
    "GRADIO_ANALYTICS_ENABLED": "False",  # and with it the question for a newer version
    "HF_HUB_DISABLE_TELEMETRY": "1",  # huggingface_hub, by which gradio_client reports, too
    "ORT_DISABLE_TELEMETRY": "1",  # ONNX Runtime's Linux wheels since 1.29, which also write a device id to ~/.cache
    "RAY_USAGE_STATS_ENABLED": "0",
    "OTEL_SDK_DISABLED": "true",  # OpenTelemetry, through which FastAPI and MCP can report each request
    "DO_NOT_TRACK": "1",  # what many libraries heed: those that come to report in a later release
}
os.environ.update(_SILENCE)
