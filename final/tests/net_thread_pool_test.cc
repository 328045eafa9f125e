#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <thread>
#include <vector>

#include "net/thread_pool.h"

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
  done.get_future().wait();
}

TEST(ThreadPool, HasAsManyWorkersAsItWasTold) {
  ThreadPool pool(3);
  // Each task waits for the others: fewer workers would wait for ever.
  std::atomic<int> here{0};
  std::promise<void> all;
  const std::shared_future<void> go = all.get_future().share();
  std::vector<std::future<void>> finished;
  for (int i = 0; i < 3; ++i) {
    auto promise = std::make_shared<std::promise<void>>();
    finished.push_back(promise->get_future());
    pool.run([&, promise] {
      if (++here == 3) all.set_value();
      go.wait();
      promise->set_value();
    });
  }
  for (auto& future : finished) {
    ASSERT_EQ(std::future_status::ready, future.wait_for(std::chrono::seconds(20)));
  }
}

TEST(ThreadPool, OneWorkerRunsTasksInTheirOrder) {
  std::vector<int> order;
  {
    ThreadPool pool(1);
    std::promise<void> done;
    for (int i = 0; i < 100; ++i) pool.run([&order, i] { order.push_back(i); });
    pool.run([&] { done.set_value(); });
    done.get_future().wait();
  }
  ASSERT_EQ(100u, order.size());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(i, order[static_cast<size_t>(i)]);
}

TEST(ThreadPool, DestructionWaitsForWhatHasBegunAndDropsTheRest) {
  std::atomic<bool> begunFinished{false};
  std::atomic<bool> restRan{false};
  {
    ThreadPool pool(1);
    std::promise<void> begun;
    pool.run([&] {
      begun.set_value();
      // Long enough for the destructor to be waiting, or the test passes without showing it.
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      begunFinished = true;
    });
    begun.get_future().wait();
    pool.run([&] { restRan = true; });
  }
  EXPECT_TRUE(begunFinished);
  EXPECT_FALSE(restRan);
}

}  // namespace
}  // namespace reactor
