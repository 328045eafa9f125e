#include "net/idle_wheel.h"

#include <algorithm>
#include <utility>

namespace reactor {

IdleWheel::IdleWheel(Clock::duration timeout, Clock::duration tick, Clock::time_point now)
    : tick_(tick),
      // One for each tick of the timeout, one for the part of a tick that has begun.
      slots_(static_cast<size_t>(timeout / tick) + 2),
      currentTime_(now + tick) {}

void IdleWheel::add(uint64_t id, Clock::time_point deadline) {
  const Clock::duration ahead = std::max(deadline - currentTime_, Clock::duration::zero());
  // Rounded up: looked at when the deadline has passed, not just before it.
  const auto ticks = static_cast<size_t>((ahead + tick_ - Clock::duration(1)) / tick_);
  slots_[(current_ + std::min(ticks, slots_.size() - 1)) % slots_.size()].push_back(id);
}

void IdleWheel::advance(Clock::time_point now, const DeadlineOf& deadlineOf) {
  while (currentTime_ <= now) {
    const std::vector<uint64_t> due = std::exchange(slots_[current_], {});
    current_ = (current_ + 1) % slots_.size();
    currentTime_ += tick_;
    for (const uint64_t id : due) {
      if (const auto deadline = deadlineOf(id)) add(id, *deadline);
    }
  }
}

}  // namespace reactor
