#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <optional>
#include <set>
#include <thread>

#include "net/event_loop.h"
#include "net/event_loop_thread_pool.h"

namespace reactor {
namespace {

TEST(EventLoopThreadPool, WithoutThreadsIsTheBaseLoop) {
  EventLoop base;
  EventLoopThreadPool pool(base, 0);
  pool.start();
  EXPECT_EQ(1u, pool.loops().size());
  EXPECT_EQ(&base, &pool.getNextLoop());
  EXPECT_EQ(&base, &pool.getNextLoop());
}

TEST(EventLoopThreadPool, RunsEachLoopInAThreadOfItsOwn) {
  EventLoop base;
  EventLoopThreadPool pool(base, 3);
  pool.start();
  std::set<std::thread::id> threads{std::this_thread::get_id()};
  for (EventLoop* loop : pool.loops()) {
    std::promise<std::thread::id> where;
    loop->runInLoop([&] { where.set_value(std::this_thread::get_id()); });
    threads.insert(where.get_future().get());
  }
  EXPECT_EQ(4u, threads.size());
}

TEST(EventLoopThreadPool, GivesTheLoopsInTurn) {
  EventLoop base;
  EventLoopThreadPool pool(base, 2);
  pool.start();
  EventLoop* first = &pool.getNextLoop();
  EventLoop* second = &pool.getNextLoop();
  EXPECT_NE(first, second);
  EXPECT_EQ(first, &pool.getNextLoop());
  EXPECT_EQ(second, &pool.getNextLoop());
}

TEST(EventLoopThreadPool, StopRunsWhatWasQueuedAndJoins) {
  std::atomic<int> ran{0};
  EventLoop base;
  std::optional<EventLoopThreadPool> pool(std::in_place, base, 2);
  pool->start();
  for (int i = 0; i < 100; ++i) pool->getNextLoop().queueInLoop([&] { ++ran; });
  pool.reset();
  EXPECT_EQ(100, ran);
}

TEST(EventLoopThreadPool, MayBeDestroyedWithoutHavingStarted) {
  EventLoop base;
  EventLoopThreadPool pool(base, 2);
}

}  // namespace
}  // namespace reactor
