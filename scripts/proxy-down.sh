#!/usr/bin/env bash
# Stop the proxy that scripts/proxy-up.sh started. Open streams have 30 seconds to end.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

pid_file=data/proxy.pid
if [ -f "$pid_file" ]; then
  pid=$(cat "$pid_file")
  rm -f "$pid_file"
  if ps -p "$pid" -o args= 2> /dev/null | grep -q 'modelmesh serve' && kill -TERM "$pid" 2> /dev/null; then
    for _ in $(seq 1 400); do
      kill -0 "$pid" 2> /dev/null || break
      sleep 0.1
    done
    echo "Stopped process $pid."
  else
    echo "The proxy runs no longer. Its log is data/proxy.log."
  fi
  exit 0
fi
if docker compose version > /dev/null 2>&1 && docker info > /dev/null 2>&1; then
  exec docker compose down
fi
echo "No proxy of scripts/proxy-up.sh runs here."
