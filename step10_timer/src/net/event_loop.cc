#include "net/event_loop.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cassert>
#include <chrono>
#include <utility>

#include "net/socket.h"

namespace reactor {

namespace {

constexpr std::chrono::milliseconds kForever{-1};

FileDescriptor createEventFd() {
  FileDescriptor fd(::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
  if (fd.get() < 0) throwErrno("eventfd");
  return fd;
}

// `delay` from now, or the end of time.
Clock::time_point after(Clock::duration delay) {
  const Clock::time_point now = Clock::now();
  return delay < Clock::time_point::max() - now ? now + delay : Clock::time_point::max();
}

}  // namespace

EventLoop::EventLoop()
    : thread_(std::this_thread::get_id()),
      now_(Clock::now()),
      wakeupFd_(createEventFd()),
      wakeupChannel_(*this, wakeupFd_.get()),
      timers_(*this) {
  wakeupChannel_.setReadCallback([this] { handleWakeup(); });
  wakeupChannel_.enableReading();
}

EventLoop::~EventLoop() {
  // What they hold may want to leave the loop: let it, while there still is one.
  timers_.clear();
  while (!queuedTasks_.empty() || !turnEndTasks_.empty()) {
    std::vector<Task>().swap(queuedTasks_);
    std::vector<Task>().swap(turnEndTasks_);
  }
}

void EventLoop::loop() {
  assertInLoopThread();
  runTurnEndTasks();  // Of what was done before the first turn.
  while (!quit_) {
    ready_ = epoll_.wait(kForever);
    now_ = Clock::now();
    for (const epoll_event& event : ready_) {
      auto* channel = static_cast<Channel*>(event.data.ptr);
      if (channel != nullptr) channel->handleEvents(event.events);
    }
    ready_ = {};
    runQueuedTasks();
    runTurnEndTasks();
  }
  // Queued before quit(), but after the last turn had taken its tasks.
  runQueuedTasks();
  runTurnEndTasks();
}

void EventLoop::quit() {
  // The loop takes the lock once more before it returns, and may be gone right after: wakeup() must
  // have come back by then.
  const std::lock_guard lock(mutex_);
  quit_ = true;
  wakeup();
}

void EventLoop::runInLoop(Task task) {
  if (isInLoopThread()) {
    task();
  } else {
    queueInLoop(std::move(task));
  }
}

void EventLoop::queueInLoop(Task task) {
  const std::lock_guard lock(mutex_);  // Until the loop is woken: see quit().
  queuedTasks_.push_back(std::move(task));
  // Whoever put the first task there has woken the loop for all that follow.
  if (queuedTasks_.size() == 1) wakeup();
}

void EventLoop::runAtTurnEnd(Task task) {
  assertInLoopThread();
  turnEndTasks_.push_back(std::move(task));
}

TimerId EventLoop::runAt(Clock::time_point when, Task task) {
  const TimerId id = TimerQueue::nextId();
  runInLoop([this, id, when, task = std::move(task)]() mutable {
    timers_.add(id, when, Clock::duration::zero(), std::move(task));
  });
  return id;
}

TimerId EventLoop::runAfter(Clock::duration delay, Task task) {
  return runAt(after(delay), std::move(task));
}

TimerId EventLoop::runEvery(Clock::duration interval, Task task) {
  const TimerId id = TimerQueue::nextId();
  const Clock::time_point first = after(interval);
  runInLoop([this, id, first, interval, task = std::move(task)]() mutable {
    timers_.add(id, first, interval, std::move(task));
  });
  return id;
}

void EventLoop::cancel(TimerId id) {
  runInLoop([this, id] {
    if (id.sequence == 0 || timers_.cancel(id)) return;
    // Set by another thread, it may be on its way here still: then it is queued before this.
    queueInLoop([this, id] { timers_.cancel(id); });
  });
}

void EventLoop::assertInLoopThread() const {
  assert(isInLoopThread() && "this is for the loop's own thread: use runInLoop");
}

void EventLoop::removeChannel(const Channel& channel) {
  assertInLoopThread();
  epoll_.remove(channel.fd());
  for (epoll_event& event : ready_) {
    if (event.data.ptr == &channel) event.data.ptr = nullptr;
  }
}

void EventLoop::runQueuedTasks() {
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(queuedTasks_);
  }
  for (const Task& task : tasks) task();
}

void EventLoop::runTurnEndTasks() {
  // By index: a task may put off more.
  for (size_t i = 0; i < turnEndTasks_.size(); ++i) {
    const Task task = std::move(turnEndTasks_[i]);
    task();
  }
  turnEndTasks_.clear();
}

void EventLoop::wakeup() {
  const uint64_t one = 1;
  // Fails only if the counter is full, and then the loop is being woken already: eventfd(2).
  [[maybe_unused]] const ssize_t n = ::write(wakeupFd_.get(), &one, sizeof one);
}

void EventLoop::handleWakeup() {
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(wakeupFd_.get(), &count, sizeof count);
}

}  // namespace reactor
