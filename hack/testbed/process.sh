# Starting and ending the cluster's own programs. A program is known by its process id together with the
# time that process started, so that an id which was given to somebody else is never signalled.
# shellcheck shell=bash

RUN=$STATE/run
LOGS=$STATE/log

# Field 22 of the line, counted after the name, which may hold anything.
start_time() {
  local line
  line=$(cat "/proc/$1/stat" 2>/dev/null) || return 1
  line=${line##*) }
  cut -d' ' -f20 <<<"$line"
}

# Prints the process id of a running part, or fails.
part_pid() {
  local pid started
  read -r pid started 2>/dev/null <"$RUN/$1.pid" || return 1
  [[ -n $started && $(start_time "$pid") == "$started" ]] || return 1
  # A process that has ended but was not collected yet is not running.
  [[ $(awk '{ sub(/.*\) /, ""); print $1 }' "/proc/$pid/stat" 2>/dev/null) != Z ]] || return 1
  echo "$pid"
}

# start_program PART COMMAND...: starts it inside, in a session and cgroup of its own.
start_program() {
  local part=$1 enter=(nsenter --net="$NETNS" --mount="$MOUNTNS" --)
  shift
  [[ -z ${SLIPWAY_INSIDE:-} ]] || enter=()
  mkdir -p "$RUN" "$LOGS"
  printf '== started %s\n' "$(date -u +%FT%TZ)" >>"$LOGS/$part.log"
  (
    echo "$BASHPID" >"$(process_cgroup)/cgroup.procs"
    exec setsid "${WITHOUT_PROXY[@]}" "${enter[@]}" "$@"
  ) </dev/null >>"$LOGS/$part.log" 2>&1 9>&- &
  local pid=$!
  disown "$pid"
  echo "$pid $(start_time "$pid")" >"$RUN/$part.pid"
}

# end_program PART SECONDS: asks it to end, and ends it after that time.
end_program() {
  local part=$1 seconds=$2 pid start=$SECONDS
  pid=$(part_pid "$part") || return 0
  kill -TERM "$pid" 2>/dev/null || true
  while part_pid "$part" >/dev/null; do
    if ((SECONDS - start >= seconds)); then
      kill -KILL "$pid" 2>/dev/null || true
      seconds=$((seconds + 5))
    fi
    sleep 0.1
  done
  rm -f "$RUN/$part.pid"
}

log_tail() {
  say "the end of $LOGS/$1.log:"
  tail -n 15 "$LOGS/$1.log" >&2 || true
}
