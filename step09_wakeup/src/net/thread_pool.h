#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace reactor {

/// Worker threads for what takes too long for an event loop.
class ThreadPool {
 public:
  /// Something to do, in any of the threads.
  using Task = std::function<void()>;

  /// Starts `threads` workers, one at least. Throws std::system_error if the kernel denies a
  /// thread.
  explicit ThreadPool(size_t threads);

  /// Waits for the tasks that have begun; drops those that have not.
  ~ThreadPool();

  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  /// Runs `task` in a worker, first come first served. Any thread. The queue has no limit: callers
  /// see to it that they do not flood it. Tasks must not throw.
  void run(Task task);

 private:
  void work();
  void stop();

  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<Task> tasks_;  ///< Guarded by mutex_, as is stopped_.
  bool stopped_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace reactor
