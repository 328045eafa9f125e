#pragma once

#include <cstddef>
#include <functional>
#include <thread>
#include <vector>

namespace reactor {

class EventLoop;

/// I/O threads, each with an event loop of its own: one loop per thread.
///
/// Owned and used by the thread of the base loop, which does all the work itself if there are no
/// other threads.
class EventLoopThreadPool {
 public:
  /// Starts no thread yet. `base` must outlive the pool.
  EventLoopThreadPool(EventLoop& base, size_t threads) : base_(base), threadCount_(threads) {}

  /// stop(), if that has not been done.
  ~EventLoopThreadPool();

  EventLoopThreadPool(const EventLoopThreadPool&) = delete;
  EventLoopThreadPool& operator=(const EventLoopThreadPool&) = delete;

  /// Starts the threads and returns when every loop can take tasks. Throws what a thread met while
  /// it made its loop; the pool can only be destroyed then.
  void start();

  /// Quits the loops, which run the tasks queued so far, and joins the threads.
  void stop();

  /// The loop whose turn it is; after start().
  EventLoop& getNextLoop();

  /// Every loop that getNextLoop() returns; after start(). Only stop() may quit them.
  const std::vector<EventLoop*>& loops() const { return loops_; }

 private:
  EventLoop& base_;
  const size_t threadCount_;
  std::vector<std::thread> threads_;
  std::vector<EventLoop*> loops_;  ///< On the stacks of threads_; base_ alone if there are none.
  size_t next_ = 0;
};

}  // namespace reactor
