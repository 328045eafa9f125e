#include "net/event_loop.h"

#include <chrono>
#include <utility>

namespace reactor {

namespace {

// How long a loop may take to notice that it shall quit.
constexpr std::chrono::milliseconds kPollInterval{100};

}  // namespace

EventLoop::~EventLoop() {
  // What they hold may want to leave the loop: let it, while there still is one.
  while (!turnEndTasks_.empty()) std::vector<Task>().swap(turnEndTasks_);
}

void EventLoop::loop() {
  runTurnEndTasks();  // Of what was done before the first turn.
  while (!quit_) {
    setReady(epoll_.wait(kPollInterval));
    for (const epoll_event& event : ready_) {
      auto* channel = channelOf(event);
      if (channel != nullptr) channel->handleEvents(event.events);
    }
    setReady({});
    runTurnEndTasks();
  }
}

void EventLoop::quit() { quit_ = true; }

void EventLoop::runAtTurnEnd(Task task) {
  const std::lock_guard lock(mutex_);
  turnEndTasks_.push_back(std::move(task));
}

void EventLoop::removeChannel(const Channel& channel) {
  const std::lock_guard lock(mutex_);
  epoll_.remove(channel.fd());
  for (epoll_event& event : ready_) {
    if (event.data.ptr == &channel) event.data.ptr = nullptr;
  }
}

void EventLoop::setReady(std::span<epoll_event> ready) {
  const std::lock_guard lock(mutex_);
  ready_ = ready;
}

Channel* EventLoop::channelOf(const epoll_event& event) {
  const std::lock_guard lock(mutex_);
  return static_cast<Channel*>(event.data.ptr);
}

void EventLoop::runTurnEndTasks() {
  std::unique_lock lock(mutex_);
  // By index: a task may put off more.
  for (size_t i = 0; i < turnEndTasks_.size(); ++i) {
    Task task = std::move(turnEndTasks_[i]);
    lock.unlock();
    task();
    task = nullptr;  // What it holds goes now, while the lock is free.
    lock.lock();
  }
  turnEndTasks_.clear();
}

}  // namespace reactor
