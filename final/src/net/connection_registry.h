#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <unordered_map>
#include <vector>

#include "net/callbacks.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/idle_wheel.h"

namespace reactor {

/// The connections of one server in one of its loops: the one place that owns them.
/// Ends those that are idle for too long.
///
/// Used in that loop's thread, but for accept(), size() and destruction, which is harmless once
/// closeQuietly() has been called there.
class ConnectionRegistry : public std::enable_shared_from_this<ConnectionRegistry> {
 public:
  /// `idleTimeout` zero: connections may be silent for ever. `callbacks.closed` is replaced.
  ConnectionRegistry(EventLoop& loop, ConnectionCallbacks callbacks, ConnectionLimits limits,
                     Clock::duration idleTimeout);

  /// Makes a connection of `socket` in this loop's thread. Any thread.
  void accept(Socket socket, const InetAddress& peer);

  /// How many connections there are, those on their way here included. Any thread.
  size_t size() const { return size_; }

  /// Shuts all connections down, closes those that give no sign of life for `grace` (or are there
  /// after ten times as long), and calls `emptied`, once, when the last has gone.
  void stop(Clock::duration grace, std::function<void()> emptied);

  /// Closes all connections and tells nobody; no callback runs from now on, no connection is added.
  void closeQuietly();

 private:
  void add(Socket socket, const InetAddress& peer);
  void remove(const Connection& connection);
  void closeStragglers(Clock::duration grace, Clock::time_point deadline);
  std::vector<std::shared_ptr<Connection>> all() const;
  void startIdleTimer();
  void endIdle();

  EventLoop& loop_;
  std::shared_ptr<const ConnectionCallbacks> callbacks_;
  const ConnectionLimits limits_;
  const Clock::duration idleTimeout_;
  std::optional<IdleWheel> wheel_;  ///< If there is an idle timeout.
  TimerId idleTimer_;
  TimerId graceTimer_;
  bool closed_ = false;
  std::function<void()> emptied_;
  std::unordered_map<uint64_t, std::shared_ptr<Connection>> connections_;  ///< By id.
  std::atomic<size_t> size_{0};
};

}  // namespace reactor
