#!/usr/bin/env bash
# Start the proxy: with docker compose where an engine runs, else with the installed `modelmesh serve`.
#
#   scripts/proxy-up.sh            in the foreground, Ctrl+C stops it
#   scripts/proxy-up.sh --detach   in the background, until scripts/proxy-down.sh
#
# Variables: MODELMESH_PORT (default 8080, for `modelmesh serve`), MODELMESH_NO_DOCKER=1 (never use docker).
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

detach=no
case "${1:-}" in
  "") ;;
  -d | --detach) detach=yes ;;
  *) echo "usage: scripts/proxy-up.sh [--detach]" >&2; exit 2 ;;
esac

if [ ! -f .env ]; then
  cp .env.example .env
  chmod 600 .env
  echo "Created .env from .env.example. Set at least one key in it."
fi

if [ -z "${MODELMESH_NO_DOCKER:-}" ] && docker compose version > /dev/null 2>&1 && docker info > /dev/null 2>&1; then
  if [ "$detach" = yes ]; then
    exec docker compose up --build --detach --wait
  fi
  exec docker compose up --build
fi

if ! command -v modelmesh > /dev/null; then
  echo "Neither a docker engine nor the command modelmesh was found. Install one of them:" >&2
  echo "  pip install './modelmesh-core[cli]' './modelmesh-cdk[fast]' ./modelmesh-proxy ./connectors/openai ./storage/sqlite" >&2
  exit 1
fi

# Keys that the shell has set win over those of .env.
while IFS='=' read -r name value; do
  case "$name" in
    "" | \#*) ;;
    *) if [ -n "$value" ] && [ -z "${!name:-}" ]; then export "$name=$value"; fi ;;
  esac
done < .env

port="${MODELMESH_PORT:-8080}"
if [ "$detach" = no ]; then
  exec modelmesh serve --config modelmesh.yaml --port "$port"
fi

mkdir -p data
pid_file=data/proxy.pid
# The number alone proves nothing: after a crash or a restart it may belong to another program.
if [ -f "$pid_file" ] && ps -p "$(cat "$pid_file")" -o args= 2> /dev/null | grep -q 'modelmesh serve'; then
  echo "The proxy runs already, process $(cat "$pid_file"). Stop it with scripts/proxy-down.sh." >&2
  exit 1
fi
if scripts/http-get.py "http://127.0.0.1:$port/health" > /dev/null 2>&1; then
  echo "Another server answers on port $port. Stop it, or use another port: MODELMESH_PORT=8081 scripts/proxy-up.sh --detach" >&2
  exit 1
fi
nohup modelmesh serve --config modelmesh.yaml --port "$port" > data/proxy.log 2>&1 &
echo $! > "$pid_file"
for _ in $(seq 1 100); do
  if scripts/http-get.py "http://127.0.0.1:$port/health" > /dev/null 2>&1; then
    echo "The proxy runs on http://localhost:$port, process $(cat "$pid_file"). Its log is data/proxy.log."
    exit 0
  fi
  if ! kill -0 "$(cat "$pid_file")" 2> /dev/null; then
    break
  fi
  sleep 0.1
done
kill "$(cat "$pid_file")" 2> /dev/null || true
rm -f "$pid_file"
echo "The proxy did not start. The end of data/proxy.log:" >&2
tail -n 20 data/proxy.log >&2
exit 1
