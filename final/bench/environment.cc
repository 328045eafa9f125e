#include "environment.h"

#include <sched.h>
#include <signal.h>
#include <sys/resource.h>

#include <algorithm>
#include <string>

#include "sockets.h"

namespace reactor::bench {

namespace {

volatile sig_atomic_t interrupted = 0;

void noteInterrupt(int) { interrupted = 1; }

}  // namespace

void catchInterrupts() {
  struct sigaction action {};
  action.sa_handler = noteInterrupt;  // Without SA_RESTART: epoll_wait and recv are to return.
  ::sigemptyset(&action.sa_mask);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

void throwIfInterrupted() {
  if (interrupted != 0) throw Interrupted();
}

void ensureDescriptors(size_t needed) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) < 0) throwErrno("getrlimit");
  if (limit.rlim_max < needed) {
    throw std::runtime_error(
        "needs " + std::to_string(needed) + " descriptors a process, but the hard limit is " +
        std::to_string(limit.rlim_max) + ": raise it (ulimit -Hn) or take fewer connections");
  }
  limit.rlim_cur = std::max<rlim_t>(limit.rlim_cur, needed);
  if (::setrlimit(RLIMIT_NOFILE, &limit) < 0) throwErrno("setrlimit");
}

std::optional<Cores> twoCores() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) < 0 || CPU_COUNT(&set) < 2) return std::nullopt;
  int found[2];
  int count = 0;
  for (int core = 0; count < 2; ++core) {
    if (CPU_ISSET(core, &set)) found[count++] = core;
  }
  return Cores{.server = found[0], .client = found[1]};
}

void pinTo(int core) {
  cpu_set_t set;
  CPU_ZERO(&set);
  CPU_SET(core, &set);
  if (::sched_setaffinity(0, sizeof set, &set) < 0) throwErrno("sched_setaffinity");
}

}  // namespace reactor::bench
