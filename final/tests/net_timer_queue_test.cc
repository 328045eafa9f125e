// Timers, through the loop that owns them.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <thread>
#include <vector>

#include "net/event_loop.h"
#include "net/timer_queue.h"

namespace reactor {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Timers : public ::testing::Test {
 protected:
  Timers() {
    loop_.runAfter(seconds(20), [this] {
      ADD_FAILURE() << "waited in vain";
      loop_.quit();
    });
  }

  EventLoop loop_;
};

TEST_F(Timers, FireInTheOrderOfTheirTimesAndNotEarly) {
  const auto start = Clock::now();
  std::vector<int> order;
  loop_.runAfter(milliseconds(30), [&] {
    order.push_back(3);
    EXPECT_GE(Clock::now() - start, milliseconds(30));
    loop_.quit();
  });
  loop_.runAfter(milliseconds(10), [&] { order.push_back(1); });
  loop_.runAt(start + milliseconds(20), [&] {
    order.push_back(2);
    EXPECT_GE(Clock::now() - start, milliseconds(20));
  });
  loop_.loop();
  EXPECT_EQ((std::vector{1, 2, 3}), order);
}

TEST_F(Timers, OfTheSameMomentFireInTheOrderOfTheCalls) {
  const auto when = Clock::now() + milliseconds(5);
  std::vector<int> order;
  for (int i = 0; i < 5; ++i) loop_.runAt(when, [&order, i] { order.push_back(i); });
  loop_.runAt(when, [&] { loop_.quit(); });
  loop_.loop();
  EXPECT_EQ((std::vector{0, 1, 2, 3, 4}), order);
}

TEST_F(Timers, OfTheDistantPastFireAtOnce) {
  bool fired = false;
  loop_.runAt(Clock::time_point(), [&] {
    fired = true;
    loop_.quit();
  });
  loop_.loop();
  EXPECT_TRUE(fired);
}

TEST_F(Timers, RepeatUntilCancelled) {
  const auto start = Clock::now();
  int times = 0;
  loop_.runEvery(milliseconds(5), [&] {
    if (++times == 4) loop_.quit();
  });
  loop_.loop();
  EXPECT_GE(Clock::now() - start, milliseconds(20));
}

TEST_F(Timers, CancelledOnesDoNotFire) {
  const TimerId id = loop_.runAfter(milliseconds(5), [] { ADD_FAILURE() << "fired"; });
  loop_.cancel(id);
  loop_.cancel(id);         // Harmless,
  loop_.cancel(TimerId{});  // as is this.
  loop_.runAfter(milliseconds(30), [&] { loop_.quit(); });
  loop_.loop();
}

TEST_F(Timers, MayCancelThemselves) {
  int times = 0;
  TimerId repeating;
  repeating = loop_.runEvery(milliseconds(2), [&] {
    ++times;
    loop_.cancel(repeating);
  });
  TimerId once;
  once = loop_.runAfter(milliseconds(1), [&] { loop_.cancel(once); });
  loop_.runAfter(milliseconds(40), [&] { loop_.quit(); });
  loop_.loop();
  EXPECT_EQ(1, times);
}

TEST_F(Timers, MayCancelOthersThatAreDueAlready) {
  const auto when = Clock::now() + milliseconds(5);
  TimerId second;
  loop_.runAt(when, [&] { loop_.cancel(second); });
  second = loop_.runAt(when, [] { ADD_FAILURE() << "fired though it was cancelled before it"; });
  loop_.runAfter(milliseconds(30), [&] { loop_.quit(); });
  loop_.loop();
}

TEST_F(Timers, AddedInACallbackAndDueAtOnceLetTheLoopGoOn) {
  int times = 0;
  std::function<void()> again = [&] {
    ++times;
    loop_.runAfter(milliseconds(0), again);
  };
  again();
  bool eventHandled = false;
  loop_.queueInLoop([&] {
    eventHandled = true;
    loop_.quit();
  });
  loop_.loop();
  EXPECT_TRUE(eventHandled);
}

TEST_F(Timers, FromAnotherThreadShortenTheSleep) {
  // Note 004 of the seeds: such a timer fired only when something else happened. Here nothing else
  // does for 20 s.
  Clock::time_point set;
  Clock::time_point fired;
  std::promise<void> asleep;
  loop_.queueInLoop([&] { asleep.set_value(); });
  std::thread other([&] {
    asleep.get_future().wait();
    set = Clock::now();
    loop_.runAfter(milliseconds(10), [&] {
      fired = Clock::now();
      loop_.quit();
    });
  });
  loop_.loop();
  other.join();
  EXPECT_GE(fired - set, milliseconds(10));
  EXPECT_LT(fired - set, seconds(10));
}

TEST_F(Timers, CanBeCancelledFromAnotherThread) {
  std::thread other([&] {
    const TimerId id = loop_.runAfter(milliseconds(50), [] { ADD_FAILURE() << "fired"; });
    loop_.cancel(id);
    loop_.runAfter(milliseconds(100), [&] { loop_.quit(); });
  });
  loop_.loop();
  other.join();
}

TEST_F(Timers, OfManyThreadsAllFireInTheLoopsThread) {
  int fired = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 250; ++i) {
        loop_.runAfter(milliseconds(i % 10), [&] {
          loop_.assertInLoopThread();
          if (++fired == 1000) loop_.quit();
        });
      }
    });
  }
  loop_.loop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(1000, fired);
}

}  // namespace
}  // namespace reactor
