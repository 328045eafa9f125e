#pragma once

#include <functional>
#include <span>
#include <vector>

#include "net/channel.h"
#include "net/epoll.h"

namespace reactor {

/// Waits for events and calls back, in one thread: the thread that made it, which calls loop().
///
/// A turn of the loop:
/// - waits for events,
/// - calls the channels that are ready,
/// - runs what was put off to the turn's end.
///
/// Callbacks and tasks must not throw, must not block, and may call anything here. The loop must
/// outlive every Channel in it and everyone who may still call it.
class EventLoop {
 public:
  /// Something to do in the loop's thread.
  using Task = std::function<void()>;

  /// Throws std::system_error if the kernel denies a descriptor.
  EventLoop() = default;
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs turns until quit() is called; at once returns if it has been.
  void loop();

  /// The turn in progress is finished, then loop() returns, now and ever after. Also before loop().
  void quit();

  /// Runs `task` when all else of this turn has been handled: for what is better done once a turn,
  /// and for destroying what may still be in use further up the stack. It is dropped, not run, if
  /// the loop is destroyed before.
  void runAtTurnEnd(Task task);

  Epoll& epoll() { return epoll_; }            ///< For Channel.
  void removeChannel(const Channel& channel);  ///< For Channel: no event reaches it from now on.

 private:
  void runTurnEndTasks();

  Epoll epoll_;
  std::span<epoll_event> ready_;  ///< The events of this turn; data.ptr null: channel was removed.
  bool quit_ = false;
  std::vector<Task> turnEndTasks_;
};

}  // namespace reactor
