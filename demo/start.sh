#!/usr/bin/env bash
# Sets up what the demo needs at the first start, then serves the page. Arguments go to app.py.
set -euo pipefail
cd "$(dirname "$0")/.."
bash .ci/environment requirements.txt
# What browsers need to read faces themselves; the page also works without it. npm writes its own lock file last.
if command -v npm >/dev/null && [ ! node_modules/.package-lock.json -nt package-lock.json ]; then
    npm ci --omit=dev --no-audit --no-fund --silent || echo "npm ci has failed: faces are read by the server alone." >&2
fi
exec .venv/bin/python app.py "$@"
