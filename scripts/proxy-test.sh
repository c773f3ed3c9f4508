#!/usr/bin/env bash
# Test a running proxy: health and models, and with --full one answer and one stream, which cost a few tokens.
#
#   scripts/proxy-test.sh [--full]
#
# Variables: MODELMESH_URL (default http://localhost:8080), MODELMESH_TOKEN (sent if the proxy requires one),
# MODELMESH_MODEL (default text-generation).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

full=no
case "${1:-}" in
  "") ;;
  --full) full=yes ;;
  *) echo "usage: scripts/proxy-test.sh [--full]" >&2; exit 2 ;;
esac

url="${MODELMESH_URL:-http://localhost:${MODELMESH_PORT:-8080}}"
model="${MODELMESH_MODEL:-text-generation}"
failed=0

# expect NAME TEXT PATH [BODY]: the answer of a path contains a text.
expect() {
  local answer
  if answer=$(scripts/http-get.py "$url$3" "${4:-}" 2>&1) && grep -q -- "$2" <<< "$answer"; then
    echo "ok    $1"
  else
    echo "FAIL  $1: no $2 in the answer of $url$3:"
    head -c 500 <<< "$answer"
    failed=1
  fi
}

expect "health" '"status":"ok"' /health
expect "models" "$model" /v1/models
if [ "$full" = yes ]; then
  messages='"messages":[{"role":"user","content":"Say hello."}],"max_tokens":20'
  expect "answer" '"finish_reason"' /v1/chat/completions "{\"model\":\"$model\",$messages}"
  expect "stream" 'data: \[DONE\]' /v1/chat/completions "{\"model\":\"$model\",$messages,\"stream\":true}"
fi
exit $failed
