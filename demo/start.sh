#!/usr/bin/env bash
# Sets up what the demo needs, at the first start, and serves the page; arguments go to app.py.
set -euo pipefail
cd "$(dirname "$0")/.."
bash .ci/environment requirements.txt
exec .venv/bin/python app.py "$@"
