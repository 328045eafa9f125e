#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

namespace reactor::bench {

/// Clients that keep a server busy, connected to it for as long as this object lives. One thread.
class Load {
 public:
  virtual ~Load() = default;

  /// Does its work for `duration` and returns how much was done, in the benchmark's unit. The work
  /// goes on where the last call left off. Throws if the server does anything but what it should.
  virtual uint64_t run(std::chrono::duration<double> duration) = 0;

  /// The median time from the first to the last receiver of a message, of those that run() has
  /// counted; nothing if a message has one receiver.
  virtual std::optional<std::chrono::duration<double, std::milli>> spread() { return {}; }

  /// Lets what is under way come to its end, and checks what can only be checked then.
  virtual void finish() {}
};

using MakeLoad = std::function<std::unique_ptr<Load>(uint16_t port)>;

}  // namespace reactor::bench
