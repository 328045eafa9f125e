#include <gtest/gtest.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <future>
#include <optional>
#include <set>
#include <system_error>
#include <thread>
#include <vector>

#include "net/event_loop.h"
#include "net/event_loop_thread_pool.h"
#include "waiting.h"

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
    loop->runInLoop([&where, loop] {
      EXPECT_TRUE(loop->isInLoopThread());
      where.set_value(std::this_thread::get_id());
    });
    auto found = where.get_future();
    ASSERT_EQ(std::future_status::ready, found.wait_for(testing::kPatience));
    threads.insert(found.get());
  }
  EXPECT_EQ(4u, threads.size());
}

TEST(EventLoopThreadPool, GivesTheLoopsInTurn) {
  EventLoop base;
  EventLoopThreadPool pool(base, 3);
  pool.start();
  ASSERT_EQ(3u, pool.loops().size());
  for (int round = 0; round < 3; ++round) {
    for (EventLoop* loop : pool.loops()) EXPECT_EQ(loop, &pool.getNextLoop());
  }
}

TEST(EventLoopThreadPool, BusyLoopHoldsUpNoOther) {
  EventLoop base;
  EventLoopThreadPool pool(base, 2);
  pool.start();
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  pool.loops()[0]->queueInLoop([released] { released.wait(); });
  std::promise<void> done;
  pool.loops()[1]->queueInLoop([&] { done.set_value(); });
  EXPECT_EQ(std::future_status::ready, done.get_future().wait_for(testing::kPatience));
  release.set_value();
}

TEST(EventLoopThreadPool, StopRunsWhatWasQueuedAndJoins) {
  std::atomic<int> ran{0};
  EventLoop base;
  EventLoopThreadPool pool(base, 2);
  pool.start();
  for (int i = 0; i < 100; ++i) pool.getNextLoop().queueInLoop([&] { ++ran; });
  pool.stop();
  EXPECT_EQ(100, ran);
  EXPECT_TRUE(pool.loops().empty());
  pool.stop();  // Nothing left to do.
}

TEST(EventLoopThreadPool, StopRunsWhatIsQueuedBehindATaskThatIsRunning) {
  std::atomic<bool> stopIsNear{false};
  std::atomic<bool> last{false};
  EventLoop base;
  EventLoopThreadPool pool(base, 1);
  pool.start();
  EventLoop& loop = pool.getNextLoop();
  std::promise<void> begun;
  loop.queueInLoop([&] {
    begun.set_value();
    EXPECT_TRUE(testing::eventually([&] { return stopIsNear.load(); }));
    std::this_thread::sleep_for(std::chrono::milliseconds(30));  // stop() calls quit() meanwhile.
  });
  begun.get_future().wait();
  loop.queueInLoop([&] { last = true; });  // Not for the turn in progress, but for the next.
  stopIsNear = true;
  pool.stop();
  EXPECT_TRUE(last);
}

TEST(EventLoopThreadPool, DestructionStops) {
  std::atomic<int> ran{0};
  EventLoop base;
  std::optional<EventLoopThreadPool> pool(std::in_place, base, 2);
  pool->start();
  for (int i = 0; i < 100; ++i) pool->getNextLoop().queueInLoop([&] { ++ran; });
  pool.reset();
  EXPECT_EQ(100, ran);
}

TEST(EventLoopThreadPool, StartTellsWhatALoopMetAndCanBeGivenUp) {
  EventLoop base;
  EventLoopThreadPool pool(base, 2);
  // Descriptors for the first loop, an epoll set, a wake-up and a timer, but none for the second.
  const int next = ::dup(0);
  ASSERT_GE(next, 0);
  ::close(next);
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  rlimit tight = before;
  tight.rlim_cur = static_cast<rlim_t>(next) + 3;
  ASSERT_EQ(0, ::setrlimit(RLIMIT_NOFILE, &tight));
  int error = 0;
  try {
    pool.start();
  } catch (const std::system_error& thrown) {
    error = thrown.code().value();
  }
  ::setrlimit(RLIMIT_NOFILE, &before);
  EXPECT_EQ(EMFILE, error);
}

TEST(EventLoopThreadPool, MayBeDestroyedWithoutHavingStarted) {
  EventLoop base;
  EventLoopThreadPool pool(base, 2);
}

}  // namespace
}  // namespace reactor
