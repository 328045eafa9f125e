#pragma once

#include <cstddef>
#include <optional>
#include <stdexcept>

namespace reactor::bench {

/// The user has had enough: Ctrl-C, or SIGTERM.
class Interrupted : public std::runtime_error {
 public:
  Interrupted() : std::runtime_error("interrupted") {}
};

/// SIGINT and SIGTERM from now on interrupt blocking system calls and make throwIfInterrupted()
/// throw, so that destructors run and no server is left behind.
void catchInterrupts();
void throwIfInterrupted();

/// Lets this process, and those that it starts, have `needed` descriptors each. Throws
/// std::runtime_error that says what to do if the hard limit does not allow that.
void ensureDescriptors(size_t needed);

/// Which core the server and which the client runs on.
struct Cores {
  int server;
  int client;
};

/// Two of the cores that this process may run on; nothing if it has only one.
std::optional<Cores> twoCores();

/// Binds this process to `core`.
void pinTo(int core);

}  // namespace reactor::bench
