#!/bin/sh
# Tries ./course in a copy of the repository, as a reader would: ctest runs one scenario at a time.
#
# usage: docs/tools/course_test.sh SCENARIO
# Exits with 77 if something that the scenario needs, git or python3, is not on this machine.
set -eu

repository=$(cd -- "$(dirname -- "$0")/../.." && pwd)
copy=$(mktemp -d)
trap 'rm -rf "$copy"' EXIT
trap 'exit 1' HUP INT TERM
tar -C "$repository" --exclude=./build --exclude=./.git --exclude=./work -cf - . | tar -C "$copy" -xf -
cd "$copy"

fail() {
  printf 'FAILED: %s\n--- it said:\n' "$*" >&2
  cat said >&2
  exit 1
}

# ./course with these arguments succeeds; what it says is in the file `said`.
succeeds() {
  ./course "$@" >said 2>&1 </dev/null || fail "./course $* exits with $?"
}

fails() {
  if ./course "$@" >said 2>&1 </dev/null; then fail "./course $* does not fail"; fi
}

says() {
  grep -qF -- "$1" said || fail "it does not say: $1"
}

does_not_say() {
  if grep -qF -- "$1" said; then fail "it says: $1"; fi
}

needs() {
  command -v "$1" >/dev/null 2>&1 || {
    printf 'skipped: no %s here\n' "$1"
    exit 77
  }
}

# Makes a repository of the copy, for what looks at history.
with_history() {
  needs git
  needs python3
  printf 'said\n' >>.gitignore
  git init -q .
  git add -A
  commit "The copy"
}

commit() {
  git -c user.name=Test -c user.email=test@example.invalid commit -q -a -m "$1"
}

# A PATH without git.
without_git() {
  mkdir bin
  for tool in /usr/bin/* /bin/*; do
    name=${tool##*/}
    [ "$name" = git ] || [ -e "bin/$name" ] || ln -s "$tool" "bin/$name"
  done
  PATH=$copy/bin
  if command -v git >/dev/null 2>&1; then fail "git is still there"; fi
}

# --- scenarios -----------------------------------------------------------------------------------

list() {
  succeeds
  for step in step0[1-9]_* step10_* final; do says "$step"; done
  says "> step01_socket"
  does_not_say "x step"
  mkdir work
  printf 'step01_socket done\n' >work/progress
  succeeds
  says "x step01_socket"
  says "> step02_epoll"
}

help() {
  for command in diff run test prove start check demo chat docs weave stat propagate; do
    case $command in
    stat | propagate | weave) command -v python3 >/dev/null 2>&1 || continue ;;
    esac
    succeeds "$command" --help
    says "usage: ./course $command"
  done
  succeeds --help
  says "For the reader"
  fails no-such-command
  says "no-such-command"
  fails diff
  says "which step?"
  fails test 17
  says "there is no step '17'"
}

diff_of() {
  succeeds diff 2
  says '+  if (::epoll_ctl(epoll, EPOLL_CTL_ADD'
  says '-      const int client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);'
  does_not_say README.md
  does_not_say aside
  succeeds diff 4 channel.h
  says "+class Channel {"
  does_not_say echo_server.cc
  succeeds diff --stat step06
  says "src/net/acceptor.cc"
  succeeds diff 2 --side-by-side
  says "=== apps/echo_server.cc"
  says "=== tests/behaviour_02_many_clients_test.cc: new"
  succeeds diff 1
  says "listening on"
  DIFF="diff -rq" succeeds diff --tool 2
  says "Files step01_socket/apps/echo_server.cc and step02_epoll/apps/echo_server.cc differ"
  fails diff 2 no_such_file.cc
  says "no_such_file.cc"
  fails diff 2 --no-such-option
  says "--no-such-option"
}

diff_words() {
  needs git
  succeeds diff 2 --words
  says "SOCK_STREAM | {+SOCK_NONBLOCK |+} SOCK_CLOEXEC"
}

diff_without_git() {
  without_git
  succeeds diff 2
  says '+  if (::epoll_ctl(epoll, EPOLL_CTL_ADD'
  does_not_say README.md
  succeeds diff 2 --stat
  says "step02_epoll/apps/echo_server.cc"
  succeeds
  says "> step01_socket"
  fails diff 2 --words
  says "needs git"
}

# From the step before, over one that does nothing new, to one that passes.
workspace() {
  succeeds start 2
  says work/step02/TASK.md
  [ -f work/step02/TASK.md ] || fail "there is no TASK.md"
  cmp -s work/step02/apps/echo_server.cc step01_socket/apps/echo_server.cc || fail "not step 01's"
  fails start 2
  says "exists"

  fails check 2
  says "ManyClients.SecondIsAnsweredWhileTheFirstIsSilent"
  says "A client waits until another one has left."
  does_not_say "Echo.AnswersOneMessage"
  succeeds check --solution 2
  says "+#include <sys/epoll.h>"

  cp step02_epoll/apps/echo_server.cc work/step02/apps/echo_server.cc
  succeeds check 2
  says "step02_epoll is done"
  succeeds check 2 --solution
  does_not_say "@@"
  succeeds
  says "x step02_epoll"

  printf '}\n' >>work/step02/apps/echo_server.cc
  fails check 2
  says "Does not compile yet"
  says "apps/echo_server.cc:"
}

workspace_of_nothing() {
  (cd / && "$copy/course" start 3 "$copy/mine") >said 2>&1 || fail "start exits with $?"
  fails check 3 mine
  says "Not there yet"
  says "  src/net/socket.cc"
  says mine/TASK.md
  does_not_say "apps/echo_client.cc"
  fails check 4
  says "./course start 4"
  fails start final
  says "for reading"
  succeeds start 1
  [ ! -e work/step01/apps/echo_server.cc ] || fail "step 01 begins with its own solution"
  fails check 1
  says "  apps/echo_server.cc"
}

# Every test of the ten steps has a meaning, and every step a task and a sentence for its proof.
texts() {
  : >said
  for step in step[0-9][0-9]_* final; do
    grep -q "^$step: " docs/tasks/proofs.txt || fail "docs/tasks/proofs.txt: nothing of $step"
    [ "$step" = final ] || [ -f "docs/tasks/$step.md" ] || fail "there is no docs/tasks/$step.md"
  done
  sed -n 's/^TEST[_FP]*(\([A-Za-z]*\), \([A-Za-z0-9]*\)).*/\1.\2/p' step*/tests/*_test.cc | sort -u >tests
  while read -r test; do
    grep -q -e "^$test: " -e "^${test%%.*}: " docs/tasks/meanings.txt ||
      fail "docs/tasks/meanings.txt: nothing of $test"
  done <tests
  sed -n 's/^TEST[_FP]*(\([A-Za-z]*\), \([A-Za-z0-9]*\)).*/\1.\2/p' \
    final/tests/*_test.cc step*/aside/*_test.cc | sort -u >all_tests
  # shellcheck disable=SC2016  # those are backticks of Markdown
  grep -ohE '`[A-Z][A-Za-z]+\.[A-Z][A-Za-z0-9]+`' docs/questions.md README.md | tr -d '`' | sort -u |
    while read -r test; do
      grep -qx "$test" all_tests || fail "docs/questions.md or README.md: there is no test $test"
    done
  sed 's/: .*//' docs/tasks/meanings.txt | while read -r name; do
    grep -q -e "^$name\$" -e "^$name\." tests || fail "docs/tasks/meanings.txt: no test is named $name"
  done
}

propagate() {
  with_history
  comment='/// A TCP socket; owns its descriptor. Movable, not copyable.'
  sed -i "s|^$comment|& Planted.|" step03_classes/src/net/socket.h
  succeeds propagate 3
  for step in step0[3-9]_* step10_* final; do
    grep -q "copyable. Planted." "$step/src/net/socket.h" || fail "it did not reach $step"
  done
  git diff --quiet -- step01_socket step02_epoll || fail "it went backwards"
  commit "A change to all"

  # What is committed travels as well; a new file, too.
  printf '// Planted.\n' >step09_wakeup/src/net/planted.h
  git add -A
  commit "A new file"
  succeeds propagate step09
  says "step10_timer/src/net/planted.h: added"
  cmp -s step09_wakeup/src/net/planted.h final/src/net/planted.h || fail "final has no planted.h"
}

propagate_conflict() {
  with_history
  sed -i 's|constexpr size_t kReadSize = 64 \* 1024;|constexpr size_t kReadSize = 1;|' \
    step08_threadpool/src/net/connection.cc
  commit "Step 08 differs"
  sed -i 's|constexpr size_t kReadSize = 64 \* 1024;|constexpr size_t kReadSize = 2;|' \
    step07_buffer/src/net/connection.cc
  fails propagate 7
  says "step08_threadpool/src/net/connection.cc: conflict"
  fails propagate 7
  says "--continue"
  fails propagate --continue
  says "conflict markers"
  sed -i '/^<<<<<<< /d; /^=======/,/^>>>>>>> /d' step08_threadpool/src/net/connection.cc
  grep -q 'kReadSize = 1;' step08_threadpool/src/net/connection.cc || fail "not mended"
  succeeds propagate --continue
  fails propagate --continue
  says "nothing to continue"
}

stat() {
  needs git
  needs python3
  succeeds stat
  says "rewrite ratio"
  sed -i 's|^/// A TCP socket; owns|/// This is a TCP socket; it owns|' final/src/net/socket.h
  fails stat
  says "noise in final: final/src/net/socket.h"
}

# A copy of chapter 4 that a fault can be put into, over and over.
again() {
  cp good.md docs/chapters/04_channel.md
}

# shellcheck disable=SC2016  # Backquotes here are Markdown's.
weave() {
  needs git
  needs python3
  chapter=docs/chapters/04_channel.md
  succeeds weave --no-run --check 4
  cp "$chapter" good.md

  sed -i 's|/// Does not own the descriptor.|/// Owns no descriptor.|' step0[4-9]_*/src/net/channel.h step10_timer/src/net/channel.h
  fails weave --no-run --check 4
  says '++/// Owns no descriptor.'
  cmp -s good.md "$chapter" || fail "--check has changed the chapter"
  succeeds weave --no-run 4
  grep -qxF '+/// Owns no descriptor.' "$chapter" || fail "the new line is not in the chapter"
  cp "$chapter" good.md
  succeeds weave --no-run 4
  cmp -s good.md "$chapter" || fail "to weave again changes something"

  sed -i '/^<!-- diff .* Channel::update -->$/,/^<!-- end -->$/d' "$chapter"
  fails weave --no-run --check 4
  says "step04_channel/src/net/channel.cc:48: no chapter shows '+void Channel::update() {'"
  again
  sed -i 's|^## The tests$|<!-- diff src/net/channel.cc Channel::remove -->|' "$chapter"
  fails weave --no-run --check 4
  says "stands already at line"
  again
  sed -i 's/Channel::update/Channel::refresh/' step04_channel/src/net/channel.cc
  fails weave --no-run --check 4
  says "has no 'Channel::update'"
  sed -i 's/Channel::refresh/Channel::update/' step04_channel/src/net/channel.cc
  printf '\nSee [there](no_such_file.md), `no_such_file.h`, `Channel::noSuchFunction` and `NoSuchSuite.NoTest`.\n' >>"$chapter"
  fails weave --no-run --check 4
  says "the link leads nowhere: no_such_file.md"
  says 'there is no file `no_such_file.h`'
  says "there is no noSuchFunction"
  says 'there is no test `NoSuchSuite.NoTest`'
  again
  printf '\n' >>docs/figures/epoll_data.dot
  fails weave --no-run --check 4
  says "epoll_data.svg is older"
}

weave_run() {
  needs git
  needs python3
  needs bash
  chapter=docs/chapters/99_test.md
  cat >"$chapter" <<'END'
# 99. A test

<!-- run mask="0x[0-9a-f]+" -->
```console
$ echo $((6 * 7))
$ echo "port 9877 at 0x$RANDOM"; echo "and an error" >&2
$ (exec 3<>/dev/tcp/127.0.0.1/9877) 2>/dev/null || echo "nobody is there"
$ for i in 1 2; do
>   echo "$i"
> done
```
END
  python3 docs/tools/weave.py 99 >said 2>&1 || fail "it does not weave"
  cp "$chapter" good.md
  for line in 42 'and an error' 'nobody is there' 2; do
    grep -qxF "$line" "$chapter" || fail "the chapter has no line '$line'"
  done
  grep -qx 'port 9877 at 0x[0-9]*' "$chapter" || fail "the port is not what the chapter says"
  python3 docs/tools/weave.py --check 99 >said 2>&1 || fail "what is masked is not left alone"
  python3 docs/tools/weave.py 99 >said 2>&1
  cmp -s good.md "$chapter" || fail "to weave again changes something"
  sed -i 's/^42$/41/' "$chapter"
  if python3 docs/tools/weave.py --check 99 >said 2>&1; then fail "it does not see that 41 is wrong"; fi
  says "-41"
  says "+42"
}

docs() {
  needs git
  needs python3
  for tool in doxygen dot; do needs "$tool"; done
  for file in doxygen-awesome-css javascript/lunr/lunr.min.js; do
    [ -e "/usr/share/$file" ] || needs "$file"
  done
  succeeds docs
  says "places to find"
  sed -i '/No message reaches .connection. any more/d' final/src/chat/broadcaster.h
  fails docs
  says "leave(Connection &connection)=0 (function) of class reactor::Broadcaster is not documented"
}

"${1:?usage: course_test.sh SCENARIO}"
