#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <unordered_map>
#include <utility>

#include "net/channel.h"
#include "net/file_descriptor.h"

namespace reactor {

class EventLoop;

/// The clock of all timers: never set back, CLOCK_MONOTONIC.
using Clock = std::chrono::steady_clock;

/// Names a timer, for EventLoop::cancel(). A default one names none. Never used twice.
struct TimerId {
  uint64_t sequence = 0;  ///< 0: no timer.
};

/// The timers of one loop, earliest first, behind one timerfd: timerfd_create(2).
///
/// Owned by its EventLoop and used in its thread only; EventLoop::runAt and the like bring calls
/// from other threads here.
class TimerQueue {
 public:
  /// Called when the time has come.
  using Callback = std::function<void()>;

  /// Throws std::system_error if the system has no timer for us.
  explicit TimerQueue(EventLoop& loop);
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;

  /// A fresh id. Any thread.
  static TimerId nextId();

  /// Calls `callback` at `when`; if `interval` is above zero, again each time it has passed.
  void add(TimerId id, Clock::time_point when, Clock::duration interval, Callback callback);

  /// Drops all timers, and what their callbacks hold, which may still use the loop.
  void clear();

  /// The timer does not fire again, not even if it is due already. False if there is none.
  bool cancel(TimerId id);

 private:
  struct Timer {
    Clock::duration interval;
    Callback callback;
  };
  /// Ordered by time; by id among equals, so that two timers may share a moment.
  using Key = std::pair<Clock::time_point, uint64_t>;

  void handleExpired();
  void rearm();

  EventLoop& loop_;
  FileDescriptor fd_;
  Channel channel_;
  std::map<Key, Timer> timers_;
  std::unordered_map<uint64_t, Clock::time_point> due_;  ///< Of every live timer: its next moment.
  Clock::time_point armedFor_ = Clock::time_point::max();
};

}  // namespace reactor
