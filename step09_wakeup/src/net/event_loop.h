#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <span>
#include <thread>
#include <vector>

#include "net/buffer.h"
#include "net/channel.h"
#include "net/epoll.h"
#include "net/file_descriptor.h"

namespace reactor {

/// Waits for events and calls back, in one thread: the thread that made it, which calls loop().
///
/// A turn of the loop:
/// - waits for events,
/// - calls the channels that are ready,
/// - runs the tasks that other threads have queued,
/// - runs what was put off to the turn's end.
///
/// Callbacks and tasks must not throw, must not block, and may call anything here. The loop must
/// outlive every Channel in it and everyone who may still call it.
///
/// Functions are for the loop's own thread unless they say "any thread".
class EventLoop {
 public:
  /// Something to do in the loop's thread.
  using Task = std::function<void()>;

  /// Throws std::system_error if the kernel denies a descriptor.
  EventLoop();
  ~EventLoop();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  /// Runs turns until quit() is called; at once returns if it has been.
  void loop();

  /// The turn in progress is finished, then loop() returns, now and ever after. Also before loop().
  /// Any thread.
  /// Tasks that are queued by then are run first.
  void quit();

  /// Any thread: runs `task` in the loop's thread; at once if this is it.
  void runInLoop(Task task);

  /// Any thread: runs `task` in the loop's thread, not at once, in the order of the calls.
  void queueInLoop(Task task);

  /// Runs `task` when all else of this turn has been handled: for what is better done once a turn,
  /// and for destroying what may still be in use further up the stack. It is dropped, not run, if
  /// the loop is destroyed before.
  void runAtTurnEnd(Task task);

  /// Any thread.
  bool isInLoopThread() const { return std::this_thread::get_id() == thread_; }
  void assertInLoopThread() const;  ///< Aborts in another thread (unless NDEBUG).

  /// A buffer that all connections of the loop share to read into, empty between two reads.
  Buffer& readBuffer() { return readBuffer_; }

  Epoll& epoll() { return epoll_; }            ///< For Channel.
  void removeChannel(const Channel& channel);  ///< For Channel: no event reaches it from now on.

 private:
  void runQueuedTasks();
  void runTurnEndTasks();
  void wakeup();
  void handleWakeup();

  const std::thread::id thread_;
  Epoll epoll_;
  std::span<epoll_event> ready_;  ///< The events of this turn; data.ptr null: channel was removed.
  Buffer readBuffer_;
  FileDescriptor wakeupFd_;
  Channel wakeupChannel_;
  std::atomic<bool> quit_{false};
  std::vector<Task> turnEndTasks_;
  std::mutex mutex_;
  std::vector<Task> queuedTasks_;  ///< Guarded by mutex_.
};

}  // namespace reactor
