#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "net/idle_wheel.h"

namespace reactor {
namespace {

using std::chrono::seconds;

/// A wheel of 10 s in ticks of 1 s, and what it knows only by id: who stirred when.
class Wheel : public ::testing::Test {
 protected:
  void add(uint64_t id) {
    lastActive_[id] = now_;
    wheel_.add(id, now_ + kTimeout);
  }

  void stir(uint64_t id) { lastActive_[id] = now_; }

  /// Goes on, tick by tick, and notes who is found when.
  void goOn(seconds time) {
    for (seconds passed(0); passed < time; ++passed) {
      now_ += seconds(1);
      advance();
    }
  }

  void advance() {
    wheel_.advance(now_, [this](uint64_t id) -> std::optional<Clock::time_point> {
      ++looks_;
      const auto found = lastActive_.find(id);
      if (found == lastActive_.end()) return std::nullopt;
      if (found->second + kTimeout > now_) {
        ++inVain_;
        return found->second + kTimeout;
      }
      ended_[id] = now_ - start_;
      lastActive_.erase(found);
      return std::nullopt;
    });
  }

  static constexpr seconds kTimeout{10};
  const Clock::time_point start_ = Clock::time_point(seconds(1000));
  Clock::time_point now_ = start_;
  IdleWheel wheel_{kTimeout, seconds(1), now_};
  std::map<uint64_t, Clock::time_point> lastActive_;
  std::map<uint64_t, Clock::duration> ended_;
  int looks_ = 0;   ///< Calls of deadlineOf,
  int inVain_ = 0;  ///< of which so many before the deadline.
};

TEST_F(Wheel, FindsTheIdleAfterTheTimeoutAndAtMostATickLater) {
  for (uint64_t id = 0; id < 25; ++id) {
    add(id);  // One a second.
    goOn(seconds(1));
  }
  goOn(seconds(15));
  ASSERT_EQ(25u, ended_.size());
  for (const auto& [id, when] : ended_) {
    EXPECT_GE(when, seconds(id) + kTimeout) << id;
    EXPECT_LE(when, seconds(id) + kTimeout + seconds(1)) << id;
  }
  EXPECT_EQ(0, inVain_) << "looked at early";
  EXPECT_EQ(25, looks_);
}

TEST_F(Wheel, HoldsForTicksOfAnyLength) {
  using std::chrono::milliseconds;
  // Also those of which a timeout is no whole number, and those as long as it.
  for (const milliseconds tick : {milliseconds(1), milliseconds(7), milliseconds(30),
                                  milliseconds(64), milliseconds(99), milliseconds(100)}) {
    constexpr milliseconds kShort{100};
    Clock::time_point now = start_;
    IdleWheel wheel(kShort, tick, now);
    std::vector<Clock::time_point> deadlines;
    std::vector<int> looks;
    const auto advance = [&] {
      wheel.advance(now, [&](uint64_t id) -> std::optional<Clock::time_point> {
        EXPECT_GE(now, deadlines[id]) << "early, tick " << tick.count();
        EXPECT_LT(now, deadlines[id] + tick) << "late, tick " << tick.count();
        ++looks[id];
        return std::nullopt;
      });
    };
    // One a millisecond, so in every part of a tick; the wheel looks each time.
    for (int i = 0; i < 400; ++i) {
      if (i < 200) {
        deadlines.push_back(now + kShort);
        looks.push_back(0);
        wheel.add(deadlines.size() - 1, deadlines.back());
      }
      now += milliseconds(1);
      advance();
    }
    for (const int count : looks) ASSERT_EQ(1, count) << "tick " << tick.count();
  }
}

TEST_F(Wheel, FindsDeadlinesNearerThanTheTimeoutInTime) {
  for (uint64_t id = 0; id <= 10; ++id) {
    lastActive_[id] = start_ - kTimeout + seconds(id);
    wheel_.add(id, start_ + seconds(id));
  }
  goOn(seconds(11));
  ASSERT_EQ(11u, ended_.size());
  for (const auto& [id, when] : ended_) {
    EXPECT_GE(when, seconds(id)) << id;
    EXPECT_LE(when, seconds(id) + seconds(1)) << id;
  }
  EXPECT_EQ(0, inVain_);
}

TEST_F(Wheel, LooksEarlyAtADeadlineThatIsTooFarAheadAndFindsItInTime) {
  lastActive_[1] = now_ + seconds(5);
  wheel_.add(1, now_ + seconds(5) + kTimeout);
  goOn(seconds(16));
  ASSERT_TRUE(ended_.contains(1));
  EXPECT_GE(ended_[1], seconds(15));
  EXPECT_LE(ended_[1], seconds(16));
  EXPECT_EQ(1, inVain_) << "once";
}

TEST_F(Wheel, FindsADeadlineThatHasPassedAtTheNextTick) {
  goOn(seconds(3));
  lastActive_[1] = now_ - kTimeout - seconds(7);
  wheel_.add(1, now_ - seconds(7));
  goOn(seconds(1));
  EXPECT_TRUE(ended_.contains(1));
}

TEST_F(Wheel, FindsThoseBetweenTwoTicksNotEarly) {
  now_ += std::chrono::milliseconds(300);
  add(1);
  for (int i = 0; i < 200; ++i) {
    now_ += std::chrono::milliseconds(100);
    advance();
  }
  ASSERT_TRUE(ended_.contains(1));
  EXPECT_GE(ended_[1], kTimeout + std::chrono::milliseconds(300));
  EXPECT_EQ(0, inVain_) << "looked at early";
  EXPECT_LE(ended_[1], kTimeout + std::chrono::milliseconds(1400));
}

TEST_F(Wheel, KeepsThoseThatStir) {
  add(1);
  add(2);
  for (int i = 0; i < 20; ++i) {
    goOn(seconds(5));
    stir(1);
  }
  EXPECT_TRUE(ended_.contains(2));
  EXPECT_FALSE(ended_.contains(1));
  goOn(seconds(11));
  EXPECT_TRUE(ended_.contains(1));
}

TEST_F(Wheel, ForgetsThoseThatAreGone) {
  add(1);
  lastActive_.erase(1);
  goOn(seconds(30));
  EXPECT_EQ(1, looks_);
  EXPECT_TRUE(ended_.empty());
}

TEST_F(Wheel, LooksAtEachAboutOnceATimeoutHoweverOftenItStirs) {
  constexpr int kIds = 1000;
  for (uint64_t id = 0; id < kIds; ++id) add(id);
  for (int i = 0; i < 100; ++i) {
    goOn(seconds(1));
    for (uint64_t id = 0; id < kIds; ++id) stir(id);
  }
  EXPECT_LE(looks_, kIds * (100 / 10 + 2));
  EXPECT_TRUE(ended_.empty());
}

TEST_F(Wheel, ATickLooksAtOneSlotOnly) {
  // Ten more each second, in nine slots in the end.
  uint64_t id = 0;
  for (int second = 0; second < 9; ++second) {
    for (int i = 0; i < 10; ++i) add(id++);
    goOn(seconds(1));
  }
  EXPECT_EQ(0, looks_) << "nobody was due";
  for (int second = 0; second < 10; ++second) {
    looks_ = 0;
    goOn(seconds(1));
    EXPECT_LE(looks_, 10) << "more than those of one slot";
  }
  EXPECT_EQ(90u, ended_.size());
}

TEST_F(Wheel, LooksAtNobodyBeforeATickIsOver) {
  lastActive_[1] = start_ - kTimeout;
  wheel_.add(1, start_);
  for (int i = 0; i < 9; ++i) {
    now_ += std::chrono::milliseconds(100);
    advance();
  }
  EXPECT_EQ(0, looks_);
  now_ += std::chrono::milliseconds(100);
  advance();
  EXPECT_EQ(1, looks_);
}

TEST_F(Wheel, FindsEveryoneAfterALongPause) {
  for (uint64_t id = 0; id < 10; ++id) {
    add(id);
    goOn(seconds(1));
  }
  now_ += std::chrono::hours(1);
  advance();
  EXPECT_EQ(10u, ended_.size());
}

TEST_F(Wheel, KeepsTimeAfterALongPause) {
  add(1);
  now_ += std::chrono::hours(1);
  stir(1);  // Just before the wheel goes on.
  advance();
  EXPECT_FALSE(ended_.contains(1));
  add(2);
  const Clock::duration deadline = now_ - start_ + kTimeout;
  goOn(seconds(11));
  for (const uint64_t id : {1u, 2u}) {
    ASSERT_TRUE(ended_.contains(id)) << id;
    EXPECT_GE(ended_[id], deadline) << id;
    EXPECT_LE(ended_[id], deadline + seconds(1)) << id;
  }
}

TEST_F(Wheel, LongPauseIsNoEndlessWork) {
  // Even with someone who is overdue and stays: looked at once a tick, not for ever in one.
  wheel_.add(1, now_);
  int looks = 0;
  wheel_.advance(now_ + seconds(100), [&](uint64_t) -> std::optional<Clock::time_point> {
    ++looks;
    return start_;
  });
  EXPECT_LE(looks, 100);
}

}  // namespace
}  // namespace reactor
