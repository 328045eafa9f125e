// A loop and its channels, in one thread.

#include <gtest/gtest.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "net/channel.h"
#include "net/event_loop.h"

namespace reactor {
namespace {

TEST(EventLoop, QuitBeforeLoopMakesItReturnAtOnce) {
  EventLoop loop;
  loop.quit();
  loop.loop();
}

TEST(EventLoop, RunsWhatWasPutOffBeforeTheFirstTurn) {
  EventLoop loop;
  const int fd = ::eventfd(1, EFD_NONBLOCK);
  std::vector<std::string> order;
  {
    Channel channel(loop, fd);
    channel.setReadCallback([&] {
      order.push_back("event");
      loop.quit();
    });
    channel.enableReading();
    loop.runAtTurnEnd([&] { order.push_back("put off"); });
    loop.loop();
  }
  EXPECT_EQ((std::vector<std::string>{"put off", "event"}), order);
  ::close(fd);
}

TEST(EventLoop, DropsWhatWasPutOffIfItIsDestroyedAndLetsItUseTheLoop) {
  struct LastWords {
    explicit LastWords(EventLoop& itsLoop) : loop(itsLoop) {}
    ~LastWords() {
      loop.runAtTurnEnd([] {});
    }
    EventLoop& loop;
  };
  bool ran = false;
  {
    EventLoop loop;
    loop.runAtTurnEnd([&ran, words = std::make_shared<LastWords>(loop)] { ran = true; });
  }
  EXPECT_FALSE(ran);
}

/// Two eventfds that are ready in the same turn, to be read and to be written.
class TwoReadyChannels : public ::testing::Test {
 protected:
  TwoReadyChannels() : fds_{::eventfd(1, EFD_NONBLOCK), ::eventfd(1, EFD_NONBLOCK)} {}
  ~TwoReadyChannels() override {
    for (const int fd : fds_) ::close(fd);
  }

  EventLoop loop_;
  const int fds_[2];
};

TEST_F(TwoReadyChannels, AreCalledInEachTurnUntilTheLoopQuits) {
  Channel first(loop_, fds_[0]);
  Channel second(loop_, fds_[1]);
  int calls[2] = {};
  first.setReadCallback([&] {
    if (++calls[0] == 3) loop_.quit();
  });
  second.setReadCallback([&] { ++calls[1]; });
  first.enableReading();
  second.enableReading();
  loop_.loop();
  EXPECT_EQ(3, calls[0]);
  EXPECT_EQ(3, calls[1]) << "the turn in which the loop was told to quit is finished";
}

TEST_F(TwoReadyChannels, HearWhatHappened) {
  Channel channel(loop_, fds_[0]);
  channel.setReadCallback([&] { EXPECT_EQ(EPOLLIN | EPOLLOUT, channel.happened()); });
  channel.setWriteCallback([&] {
    EXPECT_EQ(EPOLLIN | EPOLLOUT, channel.happened());
    loop_.quit();
  });
  channel.enableReading();
  channel.enableWriting();
  loop_.loop();
}

TEST_F(TwoReadyChannels, EventInTheBatchForAChannelJustRemovedIsNotDelivered) {
  Channel first(loop_, fds_[0]);
  Channel second(loop_, fds_[1]);
  int calls = 0;
  const auto handle = [&] {
    ++calls;
    first.remove();
    second.remove();
    loop_.quit();
  };
  first.setReadCallback(handle);
  second.setReadCallback(handle);
  first.enableReading();
  second.enableReading();
  loop_.loop();
  EXPECT_EQ(1, calls);
}

TEST_F(TwoReadyChannels, EventInTheBatchForAChannelJustDestroyedIsNotDelivered) {
  std::unique_ptr<Channel> channels[2];
  int calls = 0;
  for (size_t i = 0; i < 2; ++i) {
    channels[i] = std::make_unique<Channel>(loop_, fds_[i]);
    channels[i]->setReadCallback([&, i] {
      ++calls;
      channels[1 - i].reset();
      channels[i]->remove();
      loop_.quit();
    });
    channels[i]->enableReading();
  }
  loop_.loop();
  EXPECT_EQ(1, calls);
}

TEST_F(TwoReadyChannels, OneThatRemovedItselfWhileReadingIsNotAskedToWrite) {
  Channel channel(loop_, fds_[0]);
  bool wrote = false;
  channel.setReadCallback([&] {
    channel.remove();
    loop_.quit();
  });
  channel.setWriteCallback([&] { wrote = true; });
  channel.enableReading();
  channel.enableWriting();
  loop_.loop();
  EXPECT_FALSE(wrote);
}

TEST_F(TwoReadyChannels, OneThatOnlyWritesIsNotAskedToRead) {
  Channel channel(loop_, fds_[0]);
  bool read = false;
  channel.setReadCallback([&] { read = true; });
  channel.setWriteCallback([&] { loop_.quit(); });
  channel.enableWriting();
  loop_.loop();
  EXPECT_FALSE(read);
}

TEST_F(TwoReadyChannels, WhatIsPutOffRunsOnceAfterAllEventsOfTheTurn) {
  std::vector<std::string> order;
  std::unique_ptr<Channel> channels[2];
  for (const int fd : fds_) {
    auto& channel = channels[fd == fds_[0] ? 0 : 1];
    channel = std::make_unique<Channel>(loop_, fd);
    channel->setReadCallback([&, channel = channel.get()] {
      order.push_back("event");
      channel->remove();
      loop_.runAtTurnEnd([&] {
        order.push_back("end");
        loop_.runAtTurnEnd([&] {
          order.push_back("after the end");
          loop_.quit();
        });
      });
    });
    channel->enableReading();
  }
  loop_.loop();
  EXPECT_EQ(
      (std::vector<std::string>{"event", "event", "end", "end", "after the end", "after the end"}),
      order);
}

TEST_F(TwoReadyChannels, OneMayBeDestroyedByWhatItPutOff) {
  auto channel = std::make_unique<Channel>(loop_, fds_[0]);
  channel->setReadCallback([&] {
    channel->remove();
    loop_.runAtTurnEnd([&] {
      channel.reset();
      loop_.quit();
    });
  });
  channel->enableReading();
  loop_.loop();
  EXPECT_EQ(nullptr, channel);
}

/// A socket whose peer has gone: EPOLLIN, EPOLLOUT, EPOLLHUP.
class HungUpChannel : public ::testing::Test {
 protected:
  HungUpChannel() {
    int fds[2];
    EXPECT_EQ(0, ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds));
    fd_ = fds[0];
    ::close(fds[1]);
  }
  ~HungUpChannel() override { ::close(fd_); }

  EventLoop loop_;
  int fd_;
};

TEST_F(HungUpChannel, TellsTheReaderWhoThenMeetsTheEnd) {
  Channel channel(loop_, fd_);
  uint32_t happened = 0;
  channel.setReadCallback([&] {
    happened = channel.happened();
    loop_.quit();
  });
  channel.setCloseCallback([] { FAIL() << "there is a reader"; });
  channel.enableReading();
  loop_.loop();
  EXPECT_NE(0U, happened & EPOLLHUP);
}

TEST_F(HungUpChannel, TellsTheCloseCallbackIfNobodyReads) {
  Channel channel(loop_, fd_);
  channel.setReadCallback([] { FAIL() << "nobody reads"; });
  channel.setCloseCallback([&] {
    channel.remove();
    loop_.quit();
  });
  channel.setWriteCallback([] { FAIL() << "it was removed"; });
  channel.enableWriting();
  loop_.loop();
}

TEST_F(TwoReadyChannels, OneThatHungUpWithNothingToReadIsToldToItsReader) {
  int fds[2];
  ASSERT_EQ(0, ::pipe(fds));
  ::close(fds[1]);  // To read from a pipe that nobody will write to is EPOLLHUP alone: poll(2).
  uint32_t happened = 0;
  {
    Channel hungUp(loop_, fds[0]);
    hungUp.setReadCallback([&] { happened = hungUp.happened(); });
    hungUp.setCloseCallback([] { FAIL() << "there is a reader"; });
    hungUp.enableReading();
    Channel other(loop_, fds_[0]);
    int turns = 0;
    other.setReadCallback([&] {
      if (++turns == 2) loop_.quit();
    });
    other.enableReading();
    loop_.loop();
  }
  EXPECT_EQ(uint32_t{EPOLLHUP}, happened);
  ::close(fds[0]);
}

TEST(Channel, TellsTheErrorCallbackIfNobodyReads) {
  EventLoop loop;
  int fds[2];
  ASSERT_EQ(0, ::pipe(fds));
  ::close(fds[0]);  // To write into a pipe that nobody can read is EPOLLERR: poll(2).
  {
    Channel channel(loop, fds[1]);
    channel.setErrorCallback([&] {
      channel.remove();
      loop.quit();
    });
    channel.setCloseCallback([] { FAIL() << "it is an error"; });
    channel.setWriteCallback([] { FAIL() << "it was removed"; });
    channel.enableWriting();
    loop.loop();
  }
  ::close(fds[1]);
}

}  // namespace
}  // namespace reactor
