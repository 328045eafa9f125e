#include "net/event_loop.h"

#include <chrono>
#include <utility>

namespace reactor {

namespace {

constexpr std::chrono::milliseconds kForever{-1};

}  // namespace

EventLoop::~EventLoop() {
  // What they hold may want to leave the loop: let it, while there still is one.
  while (!turnEndTasks_.empty()) std::vector<Task>().swap(turnEndTasks_);
}

void EventLoop::loop() {
  runTurnEndTasks();  // Of what was done before the first turn.
  while (!quit_) {
    ready_ = epoll_.wait(kForever);
    for (const epoll_event& event : ready_) {
      auto* channel = static_cast<Channel*>(event.data.ptr);
      if (channel != nullptr) channel->handleEvents(event.events);
    }
    ready_ = {};
    runTurnEndTasks();
  }
}

void EventLoop::quit() { quit_ = true; }

void EventLoop::runAtTurnEnd(Task task) { turnEndTasks_.push_back(std::move(task)); }

void EventLoop::removeChannel(const Channel& channel) {
  epoll_.remove(channel.fd());
  for (epoll_event& event : ready_) {
    if (event.data.ptr == &channel) event.data.ptr = nullptr;
  }
}

void EventLoop::runTurnEndTasks() {
  // By index: a task may put off more.
  for (size_t i = 0; i < turnEndTasks_.size(); ++i) {
    const Task task = std::move(turnEndTasks_[i]);
    task();
  }
  turnEndTasks_.clear();
}

}  // namespace reactor
