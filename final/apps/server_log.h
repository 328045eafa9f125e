#pragma once

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <chrono>
#include <cstdint>
#include <system_error>

#include "net/connection.h"
#include "net/timer_queue.h"

namespace reactor {

/// What a server tells its operator goes to standard error, with the time. Any thread.
inline void logToStandardError() {
  spdlog::set_default_logger(spdlog::stderr_color_mt("server"));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");
}

/// Says why a connection ended, if it was not in good order. Any thread.
inline void logClosed(const Connection& connection) {
  if (connection.connected() || !connection.closeReason()) return;
  spdlog::warn("connection {} ({}) closed: {}", connection.id(), connection.peer().toString(),
               connection.closeReason().message());
}

/// Says why peers are turned away, at most once a second: they may come in thousands.
class RefusalLog {
 public:
  void operator()(std::error_code error) {
    ++refused_;
    if (Clock::now() < quietUntil_) return;
    quietUntil_ = Clock::now() + std::chrono::seconds(1);
    spdlog::warn("connection refused: {} ({} so far)", error.message(), refused_);
  }

 private:
  uint64_t refused_ = 0;
  Clock::time_point quietUntil_;
};

}  // namespace reactor
