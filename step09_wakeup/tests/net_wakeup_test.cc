// A loop that other threads wake: with a task, or to make it quit.

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "net/event_loop.h"

namespace reactor {
namespace {

TEST(Wakeup, QuitsFromAnotherThreadWhileItSleeps) {
  EventLoop loop;
  std::promise<void> running;
  std::thread other([&] {
    running.get_future().wait();
    loop.quit();
  });
  loop.queueInLoop([&] { running.set_value(); });
  loop.loop();
  other.join();
}

TEST(Wakeup, RunsTasksQueuedBeforeQuit) {
  for (int round = 0; round < 200; ++round) {
    EventLoop loop;
    std::atomic<int> ran{0};
    std::thread other([&] {
      loop.queueInLoop([&] { ++ran; });
      loop.queueInLoop([&] { ++ran; });
      loop.quit();
    });
    loop.loop();
    other.join();
    ASSERT_EQ(2, ran);
  }
}

TEST(Wakeup, RunsWhatTheLastTurnQueuedBeforeItQuit) {
  EventLoop loop;
  bool ran = false;
  loop.queueInLoop([&] {
    loop.queueInLoop([&] { ran = true; });
    loop.quit();
  });
  loop.loop();
  EXPECT_TRUE(ran);
}

TEST(Wakeup, RunsTasksInTheirOrderAndInItsThread) {
  EventLoop loop;
  std::vector<int> order;
  std::thread other([&] {
    for (int i = 0; i < 1000; ++i) {
      loop.runInLoop([&loop, &order, i] {
        loop.assertInLoopThread();
        order.push_back(i);
      });
    }
    loop.quit();
  });
  loop.loop();
  other.join();
  ASSERT_EQ(1000u, order.size());
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(i, order[static_cast<size_t>(i)]);
}

TEST(Wakeup, TasksQueuedByTasksRunWithoutAnotherEvent) {
  EventLoop loop;
  int depth = 0;
  std::function<void()> again = [&] {
    if (++depth == 100) return loop.quit();
    loop.queueInLoop(again);
  };
  loop.queueInLoop(again);
  loop.loop();
  EXPECT_EQ(100, depth);
}

TEST(Wakeup, TurnEndTasksRunAfterAllEventsOfTheTurn) {
  EventLoop loop;
  std::vector<std::string> order;
  loop.queueInLoop([&] {
    loop.runAtTurnEnd([&] { order.push_back("end"); });
    order.push_back("task 1");
  });
  loop.queueInLoop([&] {
    order.push_back("task 2");
    loop.runAtTurnEnd([&] { loop.runAtTurnEnd([&] { loop.quit(); }); });
  });
  loop.loop();
  EXPECT_EQ((std::vector<std::string>{"task 1", "task 2", "end"}), order);
}

}  // namespace
}  // namespace reactor
