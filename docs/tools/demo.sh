#!/usr/bin/env bash
# The chat server's job on real processes, scene by scene; `./course demo` builds and runs it.
# A scene that does not happen ends the demo with an error. Bash, because /dev/tcp is how to be a
# rude client without installing anything.
#
# usage: docs/tools/demo.sh DIRECTORY_OF_THE_PROGRAMS
set -u

bin=${1:?usage: demo.sh DIRECTORY_OF_THE_PROGRAMS}
dir=$(mktemp -d)
scene=0
processes=()
declare -A process_of=() input_of=() lines_seen=()

# --- what the scenes are made of ---------------------------------------------------------------

clean_up() {
  for process in "${processes[@]}"; do
    kill -CONT "$process" 2>/dev/null
    kill -KILL "$process" 2>/dev/null
  done
  wait 2>/dev/null
  rm -rf "$dir"
}
trap clean_up EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

announce() {
  scene=$((scene + 1))
  printf '\n%d. %s\n' "$scene" "$*"
}

# show TEXT, or show WHO TEXT: the TEXT of several who speak stands in one column.
show() {
  if [ $# -eq 1 ]; then printf '     %s\n' "$1"; else printf '     %-14s %s\n' "$1" "$2"; fi
}

# Says which scene did not happen, and what the servers had to say about it.
fail() {
  {
    printf '\ndemo: scene %d did not happen: %s\n' "$scene" "$*"
    for log in "$dir"/*.log; do
      [ -s "$log" ] && printf '\nthe end of %s:\n' "${log##*/}" && tail -n 15 "$log"
    done
  } >&2
  exit 1
}

# within SECONDS COMMAND...: waits until the command succeeds.
within() {
  local deadline=$((SECONDS + $1))
  shift
  until "$@"; do
    ((SECONDS <= deadline)) || return 1
    sleep 0.05
  done
}

has_ended() {
  ! kill -0 "$1" 2>/dev/null
}

# start NAME PROGRAM ARGUMENTS...: a process whose output goes to NAME.out and NAME.log.
# What it reads comes from NAME.in, where there is one. Its id is process_of[NAME].
start() {
  local name=$1 input=/dev/null
  shift
  [ -p "$dir/$name.in" ] && input=$dir/$name.in
  : >"$dir/$name.out" # May be looked at before the process exists.
  "$bin/$1" "${@:2}" <"$input" >"$dir/$name.out" 2>"$dir/$name.log" &
  process_of[$name]=$!
  processes+=("$!")
}

# start_server NAME OPTIONS...: a chat server on a free port, which it leaves in $port.
start_server() {
  local name=$1
  shift
  show "\$ chat_server 0 $*"
  start "$name" chat_server 0 "$@"
  within 10 grep -q '^listening on ' "$dir/$name.out" || fail "the server does not listen"
  port=$(sed -n '1s/^listening on .*:\([0-9]*\)$/\1/p' "$dir/$name.out")
  [ -n "$port" ] || fail "its first line is not 'listening on ADDRESS:PORT'"
  show "$(head -n 1 "$dir/$name.out")"
}

# start_clients NAME...: chat clients that say what is written to descriptor input_of[NAME].
# All of them start before any pipe is opened: a client that inherited the writing end of
# another's pipe would keep it open for ever.
start_clients() {
  local name descriptor
  for name in "$@"; do
    mkfifo "$dir/$name.in"
    start "$name" chat_client 127.0.0.1 "$port" --name "$name"
  done
  for name in "$@"; do
    exec {descriptor}>"$dir/$name.in"
    input_of[$name]=$descriptor
    # To be connected is not to be in the chat yet. Whoever reads their own words is.
    say "$name" "I am here"
    within 10 has_read "$name" "$name: I am here" || fail "$name cannot join the chat"
  done
}

# end NAME...: ends processes whose part is over, however busy they are.
end() {
  local name
  for name in "$@"; do
    kill -KILL "${process_of[$name]}"
    wait "${process_of[$name]}" 2>/dev/null
  done
}

# must_exit NAME: it ends by itself, and is content.
must_exit() {
  within 10 has_ended "${process_of[$1]}" || fail "$1 does not end"
  wait "${process_of[$1]}"
  local status=$?
  [ "$status" -eq 0 ] || fail "$1 has ended with status $status"
  show "$1" "has ended with status 0"
}

say() {
  printf '%s\n' "$2" >&"${input_of[$1]}"
}

has_read() {
  grep -qxF -- "$2" "$dir/$1.out"
}

must_read() {
  within 10 has_read "$1" "$2" || fail "$1 did not read \"$2\""
  show "$1 reads" "$2"
}

# Connects and leaves the descriptor in $stranger.
connect() {
  exec {stranger}<>"/dev/tcp/127.0.0.1/$port" || fail "cannot connect"
}

# Whether the server has hung up on $stranger: reading comes to an end, or to a reset.
must_be_cut_off() {
  timeout 10 cat <&"$stranger" >/dev/null 2>&1
  [ $? -ne 124 ] || fail "the server did not cut it off"
  exec {stranger}>&-
}

# must_log NAME REGEX: the server NAME gives its reason, in a line that was not there before.
must_log() {
  within 10 has_logged "$@" || fail "the server did not log \"$2\""
  show "server logs" "$(tail -n "+$((${lines_seen[$1]:-0} + 1))" "$dir/$1.log" | grep -m 1 -E "$2")"
  lines_seen[$1]=$(wc -l <"$dir/$1.log")
}

has_logged() {
  tail -n "+$((${lines_seen[$1]:-0} + 1))" "$dir/$1.log" | grep -q -E "$2"
}

# A thousand clients here and a thousand connections there: as many descriptors, and some.
need_descriptors() {
  ulimit -S -n "$1" 2>/dev/null && return
  printf 'demo: it needs %d open files per process; %s are allowed here (ulimit -H -n)\n' \
    "$1" "$(ulimit -H -n)" >&2
  exit 1
}

# --- the scenes --------------------------------------------------------------------------------

need_descriptors 1100

announce "A chat server starts, with two I/O threads"
start_server server -i 2 --backlog 100000000

announce "Two people read each other's lines"
start_clients alice bob
say alice "hello bob"
must_read bob "alice: hello bob"
say bob "hello alice"
must_read alice "bob: hello alice"

announce "A stranger announces a frame of 2,147,483,647 bytes and is cut off; the others go on"
connect
printf '\x7f\xff\xff\xff' >&"$stranger"
must_be_cut_off
must_log server 'closed: .*length'
say alice "did you notice?"
must_read bob "alice: did you notice?"

announce "A stranger whose first frame is good and whose second has a wrong checksum is cut off"
connect
printf '\0\0\0\x0emallory: hello\xf8\x44\x30\xbc' >&"$stranger"
must_read bob "mallory: hello"
printf '\0\0\0\x0emallory: hello\xf8\x44\x30\xbd' >&"$stranger"
must_be_cut_off
must_log server 'closed: .*checksum'
say bob "no, did you?"
must_read alice "bob: no, did you?"

announce "A client that stays silent for two seconds is dropped, while those who talk stay"
main_port=$port
start_server strict -t 2
start_clients carol dave
connect
before=$SECONDS
timeout 10 cat <&"$stranger" >/dev/null 2>&1 &
reader=$!
exec {stranger}>&-
lines=0
until has_ended "$reader"; do
  lines=$((lines + 1))
  say carol "line $lines"
  say dave "line $lines"
  sleep 0.3
done
wait "$reader"
[ $? -ne 124 ] || fail "the server did not drop it"
show "dropped after" "$((SECONDS - before)) s"
must_log strict 'closed: .*idle'
say carol "still here, after $lines lines"
must_read dave "carol: still here, after $lines lines"
[ "$(grep -c 'closed: .*idle' "$dir/strict.log")" -eq 1 ] || fail "somebody who talked was dropped"
end carol dave strict
port=$main_port

announce "A thousand clients, ten of whom talk"
load=(127.0.0.1 "$port" --clients 1000 --senders 10 --messages 50 --size 64 --rate 10)
show "\$ chat_load ${load[*]}"
start load chat_load "${load[@]}"
wait "${process_of[load]}" || fail "chat_load lost messages"
grep -q '99' "$dir/load.out" || fail "chat_load shows no percentiles"
sed 's/^/     /' "$dir/load.out"
say alice "what a crowd"
must_read bob "alice: what a crowd"

announce "SIGTERM while bob looks away: all that the server has taken still reaches him"
kill -STOP "${process_of[bob]}"
lines=12000
line=$(printf '%01000d' 0)
for ((i = 1; i <= lines; i++)); do printf '%s %d\n' "$line" "$i"; done >&"${input_of[alice]}"
descriptor=${input_of[alice]}
exec {descriptor}>&-
show "alice" "has said $lines lines of 1,000 bytes"
must_exit alice
kill -TERM "${process_of[server]}"
kill -CONT "${process_of[bob]}"
must_exit server
within 10 grep -q 'closed by the server' "$dir/bob.log" || fail "bob's connection is not closed"
got=$(grep -c "^alice: $line " "$dir/bob.out")
[ "$got" -eq "$lines" ] || fail "bob got $got of $lines lines"
show "bob has read" "$got of them"

printf '\nAll %d scenes happened, in %d s.\n' "$scene" "$SECONDS"
