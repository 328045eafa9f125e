#include <gtest/gtest.h>
#include <sys/resource.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <future>
#include <memory>
#include <system_error>
#include <thread>
#include <vector>

#include "net/thread_pool.h"
#include "waiting.h"

namespace reactor {
namespace {

TEST(ThreadPool, RunsEveryTaskOnceAndNotInTheCallersThread) {
  ThreadPool pool(3);
  std::atomic<int> sum{0};
  std::promise<void> done;
  for (int i = 1; i <= 1000; ++i) {
    pool.run([&, i, caller = std::this_thread::get_id()] {
      EXPECT_NE(caller, std::this_thread::get_id());
      if ((sum += i) == 1000 * 1001 / 2) done.set_value();
    });
  }
  EXPECT_EQ(std::future_status::ready, done.get_future().wait_for(testing::kPatience));
}

TEST(ThreadPool, HasOneWorkerAtLeast) {
  ThreadPool pool(0);
  std::promise<void> done;
  pool.run([&] { done.set_value(); });
  EXPECT_EQ(std::future_status::ready, done.get_future().wait_for(testing::kPatience));
}

TEST(ThreadPool, WakesAWorkerThatSleeps) {
  ThreadPool pool(1);
  for (int i = 0; i < 20; ++i) {
    std::promise<void> done;
    pool.run([&] { done.set_value(); });
    ASSERT_EQ(std::future_status::ready, done.get_future().wait_for(testing::kPatience));
    // Time to fall asleep: once in twenty is enough for the test to show something.
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

TEST(ThreadPool, TasksMayQueueTasks) {
  ThreadPool pool(1);
  std::promise<void> done;
  pool.run([&] { pool.run([&] { done.set_value(); }); });
  EXPECT_EQ(std::future_status::ready, done.get_future().wait_for(testing::kPatience));
}

TEST(ThreadPool, BusyWorkerHoldsUpNoOther) {
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future().share();
  ThreadPool pool(2);
  pool.run([released] { released.wait(); });
  std::promise<void> done;
  pool.run([&] { done.set_value(); });
  EXPECT_EQ(std::future_status::ready, done.get_future().wait_for(testing::kPatience));
  release.set_value();
}

TEST(ThreadPool, LetsGoOfATaskThatHasRun) {
  ThreadPool pool(1);
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  pool.run([held = std::move(held)] {});
  EXPECT_TRUE(testing::eventually([&] { return watched.expired(); }));
}

TEST(ThreadPool, HasAsManyWorkersAsItWasTold) {
  std::atomic<int> here{0};
  std::promise<void> all;
  const std::shared_future<void> go = all.get_future().share();
  {
    ThreadPool pool(3);
    // Each task waits until the others are there: with fewer workers they never all are.
    for (int i = 0; i < 3; ++i) {
      pool.run([&here, go] {
        ++here;
        go.wait();
      });
    }
    EXPECT_TRUE(testing::eventually([&] { return here == 3; }));
    all.set_value();
  }
}

TEST(ThreadPool, OneWorkerRunsTasksInTheirOrder) {
  std::vector<int> order;
  {
    ThreadPool pool(1);
    std::promise<void> done;
    for (int i = 0; i < 100; ++i) pool.run([&order, i] { order.push_back(i); });
    pool.run([&] { done.set_value(); });
    EXPECT_EQ(std::future_status::ready, done.get_future().wait_for(testing::kPatience));
  }
  ASSERT_EQ(100u, order.size());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(i, order[static_cast<size_t>(i)]);
}

TEST(ThreadPool, DestructionWaitsForWhatHasBegunAndDropsTheRest) {
  constexpr int kRest = 20'000;
  std::atomic<bool> destructionIsNear{false};
  std::atomic<bool> finished{false};
  std::atomic<int> restRan{0};
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  {
    ThreadPool pool(1);
    std::promise<void> begun;
    pool.run([&] {
      begun.set_value();
      EXPECT_TRUE(testing::eventually([&] { return destructionIsNear.load(); }));
      // A destructor that does not wait is through by then; one that waits waits.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      finished = true;
    });
    begun.get_future().wait();
    // 20 s of work, so that a destructor which comes late still finds most of it undone.
    for (int i = 0; i < kRest; ++i) {
      pool.run([&restRan, held] {
        ++restRan;
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
      });
    }
    held.reset();
    destructionIsNear = true;
  }
  EXPECT_TRUE(finished);
  EXPECT_LT(restRan, kRest);
  EXPECT_TRUE(watched.expired()) << "dropped tasks must not be kept";
}

TEST(ThreadPool, ThrowsIfTheKernelDeniesAThread) {
  if (testing::kSanitized) GTEST_SKIP() << "a sanitizer needs more memory than this leaves";
  const auto startTooMany = [] {
    const rlimit limit{256 << 20, 256 << 20};  // The stacks of a few dozen threads.
    ::setrlimit(RLIMIT_AS, &limit);
    try {
      const ThreadPool pool(1000);
    } catch (const std::system_error&) {
      std::_Exit(0);
    }
    std::_Exit(1);
  };
  EXPECT_EXIT(startTooMany(), ::testing::ExitedWithCode(0), "");  // In a process of its own.
}

}  // namespace
}  // namespace reactor
