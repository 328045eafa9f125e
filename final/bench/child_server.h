#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "file_descriptor.h"

namespace reactor::bench {

/// A server program that runs for as long as this object lives: killed and reaped by the
/// destructor, and by the kernel should this process die first.
class ChildServer {
 public:
  /// Starts `command`, a path and its arguments, on `core` if one is given, and waits until it says
  /// where it listens. Throws std::runtime_error with what it wrote to stderr if it does not.
  ChildServer(const std::vector<std::string>& command, std::optional<int> core);
  ~ChildServer();
  ChildServer(const ChildServer&) = delete;
  ChildServer& operator=(const ChildServer&) = delete;

  uint16_t port() const { return port_; }

  /// Time that all threads of the server have spent on a core so far.
  std::chrono::nanoseconds cpuTime() const;

  /// Bytes of memory of its own (stack, heap), without what program and libraries map from files.
  size_t privateMemory() const;

 private:
  [[noreturn]] void execute(const std::vector<std::string>& command, std::optional<int> core,
                            pid_t parent) const;
  uint16_t waitForPort();
  bool hasEnded() const;
  void killAndReap();

  // Files in memory, not pipes: a server that logs a lot must not wait for us to read it.
  FileDescriptor output_;
  FileDescriptor errors_;
  pid_t pid_ = -1;
  uint16_t port_ = 0;
};

}  // namespace reactor::bench
