#include "net/timer_queue.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <vector>

#include "net/event_loop.h"
#include "net/socket.h"

namespace reactor {

namespace {

FileDescriptor createTimerFd() {
  FileDescriptor fd(::timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
  if (fd.get() < 0) throwErrno("timerfd_create");
  return fd;
}

// An absolute time; an all-zero one would disarm the timer.
itimerspec toTimerSpec(Clock::time_point when) {
  using std::chrono::nanoseconds;
  using std::chrono::seconds;
  const nanoseconds since = std::max<nanoseconds>(when.time_since_epoch(), nanoseconds(1));
  const seconds whole = std::chrono::duration_cast<seconds>(since);
  itimerspec spec{};
  spec.it_value.tv_sec = static_cast<time_t>(whole.count());
  spec.it_value.tv_nsec = static_cast<long>((since - whole).count());
  return spec;
}

}  // namespace

TimerQueue::TimerQueue(EventLoop& loop)
    : loop_(loop), fd_(createTimerFd()), channel_(loop, fd_.get()) {
  channel_.setReadCallback([this] { handleExpired(); });
  channel_.enableReading();
}

TimerId TimerQueue::nextId() {
  static std::atomic<uint64_t> last{0};
  return TimerId{++last};
}

void TimerQueue::add(TimerId id, Clock::time_point when, Clock::duration interval,
                     Callback callback) {
  loop_.assertInLoopThread();
  timers_.emplace(Key{when, id.sequence}, Timer{interval, std::move(callback)});
  due_[id.sequence] = when;
  rearm();
}

bool TimerQueue::cancel(TimerId id) {
  loop_.assertInLoopThread();
  const auto found = due_.find(id.sequence);
  if (found == due_.end()) return false;
  // Dies last: what the callback holds may cancel this very timer when it is destroyed.
  const auto node = timers_.extract(Key{found->second, id.sequence});
  due_.erase(found);
  rearm();
  return true;
}

void TimerQueue::clear() {
  while (!timers_.empty()) cancel(TimerId{timers_.begin()->first.second});
}

void TimerQueue::handleExpired() {
  uint64_t expirations = 0;
  if (::read(fd_.get(), &expirations, sizeof expirations) < 0)
    return;  // Armed anew since: not yet.
  armedFor_ = Clock::time_point::max();

  // Taken out before any of them runs: what a callback adds waits for the next turn, even if due.
  const Clock::time_point now = Clock::now();
  std::vector<decltype(timers_)::node_type> expired;
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    expired.push_back(timers_.extract(timers_.begin()));
  }
  for (auto& node : expired) {
    const uint64_t sequence = node.key().second;
    if (!due_.contains(sequence)) continue;  // Cancelled by a timer before it.
    node.mapped().callback();
    const auto found = due_.find(sequence);
    if (found == due_.end()) continue;  // Cancelled itself.
    if (node.mapped().interval > Clock::duration::zero()) {
      found->second = now + node.mapped().interval;
      node.key().first = found->second;
      timers_.insert(std::move(node));
    } else {
      due_.erase(found);
    }
  }
  rearm();
}

void TimerQueue::rearm() {
  const Clock::time_point next =
      timers_.empty() ? Clock::time_point::max() : timers_.begin()->first.first;
  // One that fires too early finds nothing due and arms again: cheaper than a call per cancel.
  if (next >= armedFor_) return;
  armedFor_ = next;
  const itimerspec spec = toTimerSpec(next);
  if (::timerfd_settime(fd_.get(), TFD_TIMER_ABSTIME, &spec, nullptr) < 0)
    throwErrno("timerfd_settime");
}

}  // namespace reactor
