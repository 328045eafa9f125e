#include <gtest/gtest.h>

#include <chrono>
#include <map>
#include <optional>

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
      if (found->second + kTimeout > now_) return found->second + kTimeout;
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
  int looks_ = 0;
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
  for (uint64_t id = 0; id < 10; ++id) {
    add(id);
    goOn(seconds(1));
  }
  looks_ = 0;
  goOn(seconds(1));
  EXPECT_LE(looks_, 2);
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

}  // namespace
}  // namespace reactor
