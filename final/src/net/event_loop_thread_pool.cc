#include "net/event_loop_thread_pool.h"

#include <exception>
#include <future>

#include "net/event_loop.h"

namespace reactor {

namespace {

// The body of an I/O thread. `ready` gets its loop, or why there is none.
void runLoop(std::promise<EventLoop*> ready) {
  try {
    EventLoop loop;
    ready.set_value(&loop);
    loop.loop();
  } catch (...) {
    ready.set_exception(std::current_exception());
  }
}

}  // namespace

EventLoopThreadPool::~EventLoopThreadPool() { stop(); }

void EventLoopThreadPool::start() {
  base_.assertInLoopThread();
  if (threadCount_ == 0) loops_.push_back(&base_);
  for (size_t i = 0; i < threadCount_; ++i) {
    std::promise<EventLoop*> promise;
    std::future<EventLoop*> loop = promise.get_future();
    threads_.emplace_back(runLoop, std::move(promise));
    try {
      loops_.push_back(loop.get());
    } catch (...) {  // It has no loop, and ends: no thread without a loop is kept.
      threads_.back().join();
      threads_.pop_back();
      throw;
    }
  }
}

void EventLoopThreadPool::stop() {
  if (threads_.empty()) return;
  for (EventLoop* loop : loops_) loop->quit();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
  loops_.clear();
}

EventLoop& EventLoopThreadPool::getNextLoop() { return *loops_[next_++ % loops_.size()]; }

}  // namespace reactor
