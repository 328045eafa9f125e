#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <system_error>

#include "net/channel.h"
#include "net/epoll.h"
#include "net/event_loop.h"

namespace reactor {
namespace {

using std::chrono::milliseconds;

/// A channel of an eventfd that is ready to be read and to be written.
class ChannelTest : public ::testing::Test {
 protected:
  ChannelTest() : fd_(::eventfd(1, EFD_NONBLOCK)), channel_(std::in_place, loop_, fd_) {}
  ~ChannelTest() override {
    channel_.reset();
    ::close(fd_);
  }

  /// What epoll_wait(2) says of the channel now; nothing if it does not name it.
  std::optional<uint32_t> ready() {
    const auto events = epoll_.wait(milliseconds(0));
    if (events.empty()) return std::nullopt;
    EXPECT_EQ(1u, events.size());
    EXPECT_EQ(&*channel_, events[0].data.ptr);
    return uint32_t{events[0].events};
  }

  /// Whether the descriptor is in the set, whoever put it there: epoll_ctl(2) adds none twice.
  bool isInTheSet() {
    try {
      epoll_.add(fd_, 0, {});
    } catch (const std::system_error&) {
      return true;
    }
    epoll_.remove(fd_);
    return false;
  }

  EventLoop loop_;
  Epoll& epoll_ = loop_.epoll();
  const int fd_;
  std::optional<Channel> channel_;
};

TEST_F(ChannelTest, WatchesNothingWhenNew) {
  EXPECT_FALSE(channel_->isRegistered());
  EXPECT_FALSE(channel_->isReading());
  EXPECT_FALSE(channel_->isWriting());
  EXPECT_EQ(fd_, channel_->fd());
  EXPECT_FALSE(isInTheSet());
}

TEST_F(ChannelTest, IsAddedByWhatIsEnabledFirst) {
  channel_->enableReading();
  EXPECT_TRUE(channel_->isRegistered());
  EXPECT_TRUE(channel_->isReading());
  EXPECT_FALSE(channel_->isWriting());
  EXPECT_EQ(EPOLLIN, ready());
}

TEST_F(ChannelTest, MayBeginWithWriting) {
  channel_->enableWriting();
  EXPECT_FALSE(channel_->isReading());
  EXPECT_TRUE(channel_->isWriting());
  EXPECT_EQ(EPOLLOUT, ready());
}

TEST_F(ChannelTest, IsModifiedByWhatIsEnabledNext) {
  channel_->enableReading();
  channel_->enableWriting();  // A second ADD would throw EEXIST.
  EXPECT_EQ(EPOLLIN | EPOLLOUT, ready());
  channel_->disableReading();
  EXPECT_EQ(EPOLLOUT, ready());
  channel_->enableReading();
  channel_->disableWriting();
  EXPECT_EQ(EPOLLIN, ready());
}

TEST_F(ChannelTest, StaysInTheSetThoughNothingIsEnabled) {
  channel_->enableReading();
  channel_->disableReading();
  EXPECT_EQ(std::nullopt, ready());
  EXPECT_TRUE(channel_->isRegistered());
  EXPECT_TRUE(isInTheSet());
  channel_->enableReading();
  EXPECT_EQ(EPOLLIN, ready());
}

TEST_F(ChannelTest, LeavesTheSetWhenRemovedAndHearsNothing) {
  channel_->enableReading();
  channel_->enableWriting();
  channel_->remove();
  EXPECT_FALSE(channel_->isRegistered());
  EXPECT_FALSE(channel_->isReading());
  EXPECT_FALSE(channel_->isWriting());
  EXPECT_FALSE(isInTheSet());
  EXPECT_EQ(std::nullopt, ready());
}

TEST_F(ChannelTest, MayBeRemovedTwiceOrBeforeItWasIn) {
  channel_->remove();
  channel_->enableReading();
  channel_->remove();
  channel_->remove();  // A second DEL would throw ENOENT.
  EXPECT_FALSE(isInTheSet());
}

TEST_F(ChannelTest, IsAddedAgainAfterItWasRemoved) {
  channel_->enableReading();
  channel_->enableWriting();
  channel_->remove();
  channel_->enableWriting();  // A MOD would throw ENOENT.
  EXPECT_EQ(EPOLLOUT, ready()) << "what it was watched for before is forgotten";
}

TEST_F(ChannelTest, LeavesTheSetWhenDestroyedAndDoesNotCloseTheDescriptor) {
  channel_->enableReading();
  channel_.reset();
  EXPECT_FALSE(isInTheSet());
  EXPECT_TRUE(epoll_.wait(milliseconds(0)).empty());
}

}  // namespace
}  // namespace reactor
