#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "net/timer_queue.h"

namespace reactor {

/// A timing wheel that finds what has been idle for too long (Varghese and Lauck, 1987).
///
/// Time is cut into ticks, the wheel has a slot for each tick of the timeout, and whoever may
/// become idle waits in the slot of his deadline. A tick looks at one slot, whatever the others
/// hold. Those in it who have stirred in the meantime go on to the slot of their new deadline: so
/// nothing has to be moved when they stir, and each is looked at about once per timeout. Knows ids
/// only; no clock and no thread of its own.
class IdleWheel {
 public:
  /// When `id` will have been idle for too long; nothing if it is gone and need not be kept.
  using DeadlineOf = std::function<std::optional<Clock::time_point>(uint64_t id)>;

  /// Deadlines lie at most `timeout` ahead. They are found up to `tick` late; 0 < tick <= timeout.
  IdleWheel(Clock::duration timeout, Clock::duration tick, Clock::time_point now);

  /// Puts `id` into the slot of `deadline`. One that lies too far ahead is looked at early, once.
  void add(uint64_t id, Clock::time_point deadline);

  /// Goes on to `now`: asks `deadlineOf` about every id in the slots that it passes. What is
  /// overdue is the caller's to end and leaves the wheel if `deadlineOf` answers nothing.
  void advance(Clock::time_point now, const DeadlineOf& deadlineOf);

 private:
  const Clock::duration tick_;
  std::vector<std::vector<uint64_t>> slots_;
  size_t current_ = 0;             ///< The slot to be looked at next.
  Clock::time_point currentTime_;  ///< Deadlines up to this moment are in it.
};

}  // namespace reactor
