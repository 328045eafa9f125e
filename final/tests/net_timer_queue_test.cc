// Timers, through the loop that owns them.

#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <future>
#include <memory>
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

TEST_F(Timers, DueLaterThanTheLoopCanEverRunDoNotFire) {
  loop_.runAt(Clock::time_point::max(), [] { ADD_FAILURE() << "fired"; });
  loop_.runAfter(milliseconds(5), [&] { loop_.quit(); });
  loop_.loop();
}

TEST_F(Timers, FireOnce) {
  int times = 0;
  loop_.runAfter(milliseconds(1), [&] { ++times; });
  loop_.runAfter(milliseconds(20), [&] { loop_.quit(); });
  loop_.loop();
  EXPECT_EQ(1, times);
}

TEST_F(Timers, RepeatUntilCancelled) {
  const auto start = Clock::now();
  int times = 0;
  TimerId repeating;
  repeating = loop_.runEvery(milliseconds(5), [&] {
    ++times;
    EXPECT_GE(Clock::now() - start, times * milliseconds(5)) << "early";
    if (times < 4) return;
    // From outside of it; then there is time for four more.
    loop_.queueInLoop([&] { loop_.cancel(repeating); });
    loop_.runAfter(milliseconds(25), [&] { loop_.quit(); });
  });
  loop_.loop();
  EXPECT_EQ(4, times);
}

TEST_F(Timers, ThatRepeatLetOthersInBetween) {
  int often = 0;
  loop_.runEvery(milliseconds(1), [&] { ++often; });
  loop_.runEvery(milliseconds(10), [&, rare = 0]() mutable {
    if (++rare == 3) loop_.quit();
  });
  loop_.loop();
  EXPECT_GE(often, 3);
}

TEST_F(Timers, ThatQuitTheLoopLetTheTasksOfTheTurnRun) {
  bool ran = false;
  loop_.runAfter(milliseconds(1), [&] {
    loop_.queueInLoop([&] { ran = true; });
    loop_.quit();
  });
  loop_.loop();
  EXPECT_TRUE(ran);
}

TEST_F(Timers, CancelledOnesDoNotFire) {
  const TimerId id = loop_.runAfter(milliseconds(5), [] { ADD_FAILURE() << "fired"; });
  loop_.cancel(id);
  loop_.cancel(id);         // Harmless,
  loop_.cancel(TimerId{});  // as is this.
  TimerId fired;
  fired = loop_.runAfter(milliseconds(10), [&] {
    loop_.queueInLoop([&] { loop_.cancel(fired); });  // Too late: harmless as well.
  });
  loop_.runAfter(milliseconds(30), [&] { loop_.quit(); });
  loop_.loop();
}

TEST_F(Timers, CancelledOnesLeaveTheOthersAlone) {
  std::vector<int> order;
  const auto when = Clock::now() + milliseconds(5);
  std::vector<TimerId> ids;
  for (int i = 0; i < 6; ++i) ids.push_back(loop_.runAt(when, [&, i] { order.push_back(i); }));
  loop_.cancel(ids[0]);  // The earliest, for which the loop was to wake,
  loop_.cancel(ids[3]);
  loop_.cancel(ids[5]);  // and the latest.
  loop_.runAfter(milliseconds(20), [&] { loop_.quit(); });
  loop_.loop();
  EXPECT_EQ((std::vector{1, 2, 4}), order);
}

TEST_F(Timers, LetGoOfWhatTheyHoldOnceCancelledOrFired) {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> cancelled = held;
  loop_.cancel(loop_.runAfter(seconds(15), [held = std::move(held)] {}));
  EXPECT_TRUE(cancelled.expired());
  auto other = std::make_shared<int>(0);
  const std::weak_ptr<int> fired = other;
  loop_.runAfter(milliseconds(1), [&, other = std::move(other)] {
    loop_.runAtTurnEnd([&] {
      EXPECT_TRUE(fired.expired());
      loop_.quit();
    });
  });
  loop_.loop();
}

TEST_F(Timers, ThatHaveRepeatedLetGoOfWhatTheyHoldOnceCancelled) {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  TimerId repeating;
  repeating = loop_.runEvery(milliseconds(1), [&, held = std::move(held), times = 0]() mutable {
    if (++times != 2) return;
    loop_.queueInLoop([&] {
      loop_.cancel(repeating);
      EXPECT_TRUE(watched.expired());
      loop_.quit();
    });
  });
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
  TimerId once;
  TimerId repeating;
  loop_.runAt(when, [&] {
    loop_.cancel(once);
    loop_.cancel(repeating);
  });
  once = loop_.runAt(when, [] { ADD_FAILURE() << "fired though it was cancelled before it"; });
  repeating = loop_.runEvery(milliseconds(6), [] { ADD_FAILURE() << "repeated"; });
  std::this_thread::sleep_for(milliseconds(10));  // Now all are due: the loop finds one batch.
  loop_.runAfter(milliseconds(30), [&] { loop_.quit(); });
  loop_.loop();
}

TEST_F(Timers, MayCancelOneThatHasFiredInTheSameBatch) {
  int times = 0;
  const TimerId first = loop_.runAfter(milliseconds(0), [&] { ++times; });
  const TimerId repeating = loop_.runEvery(milliseconds(1), [&] { ++times; });
  loop_.runAfter(milliseconds(2), [&] {
    loop_.cancel(first);
    loop_.cancel(repeating);
  });
  std::this_thread::sleep_for(milliseconds(10));  // Now all are due: the loop finds one batch.
  loop_.runAfter(milliseconds(10), [&] { loop_.quit(); });
  loop_.loop();
  EXPECT_EQ(2, times);
}

TEST_F(Timers, AddedInACallbackAndDueAtOnceWaitForTheNextTurn) {
  int turns = 0;
  int times = 0;
  std::function<void()> again = [&] {
    ++times;
    loop_.runAtTurnEnd([&] {
      if (++turns == 100) loop_.quit();
    });
    // Not for ever, or a loop that never ends its turn would hang the test instead of failing it.
    if (times < 1000) loop_.runAt(Clock::now() - milliseconds(1), again);
  };
  loop_.runAfter(milliseconds(0), again);
  loop_.loop();
  EXPECT_EQ(100, turns);
  EXPECT_EQ(100, times) << "more than one in a turn";
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
  // The loop is kept busy until timer and cancellation are both under way: however slow the other
  // thread is, the timer must not fire.
  std::thread other;
  loop_.queueInLoop([&] {
    std::promise<void> cancelled;
    other = std::thread([&] {
      const TimerId mine = loop_.runAfter(milliseconds(0), [] { ADD_FAILURE() << "fired"; });
      loop_.cancel(mine);
      cancelled.set_value();
    });
    cancelled.get_future().wait();
    loop_.runAfter(milliseconds(30), [&] { loop_.quit(); });
  });
  loop_.loop();
  other.join();
}

TEST_F(Timers, CancelledHereWhileOnTheirWayFromAnotherThreadDoNotFire) {
  bool fired = false;
  loop_.queueInLoop([&] {
    TimerId id;
    std::thread([&] { id = loop_.runAfter(milliseconds(1), [&] { fired = true; }); }).join();
    loop_.cancel(id);
    loop_.runAfter(milliseconds(20), [&] { loop_.quit(); });
  });
  loop_.loop();
  EXPECT_FALSE(fired);
}

TEST_F(Timers, SetHereCanBeCancelledFromAnotherThread) {
  auto held = std::make_shared<int>(0);
  const std::weak_ptr<int> watched = held;
  const TimerId id = loop_.runAfter(seconds(15), [held = std::move(held)] {});
  std::thread other([&] {
    loop_.cancel(id);
    loop_.queueInLoop([&] {
      EXPECT_TRUE(watched.expired()) << "still there";
      loop_.quit();
    });
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
          EXPECT_TRUE(loop_.isInLoopThread());
          if (++fired == 1000) loop_.quit();
        });
      }
    });
  }
  loop_.loop();
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(1000, fired);
}

TEST_F(Timers, FireNeverIfTheirDelayIsEndless) {
  bool fired = false;
  loop_.runAfter(Clock::duration::max(), [&] { fired = true; });
  loop_.runEvery(Clock::duration::max(), [&] { fired = true; });
  loop_.runAfter(milliseconds(10), [&] { loop_.quit(); });
  loop_.loop();
  EXPECT_FALSE(fired);
}

/// Cancels its timer when it is destroyed, as an object does that owns a timer.
struct OwnerOfATimer {
  explicit OwnerOfATimer(EventLoop& timersLoop) : loop(timersLoop) {}
  ~OwnerOfATimer() { loop.cancel(id); }
  EventLoop& loop;
  TimerId id;
};

TEST_F(Timers, MayBeCancelledByAnObjectThatTheirOwnCallbackHolds) {
  auto owner = std::make_shared<OwnerOfATimer>(loop_);
  const std::weak_ptr<OwnerOfATimer> watched = owner;
  const TimerId id = loop_.runAfter(seconds(15), [owner] {});
  owner->id = id;
  owner.reset();
  loop_.cancel(id);
  EXPECT_TRUE(watched.expired());
}

}  // namespace
}  // namespace reactor
