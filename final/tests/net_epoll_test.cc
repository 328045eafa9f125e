#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <functional>
#include <string>
#include <system_error>

#include "net/epoll.h"

namespace reactor {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kNow{0};

class EpollTest : public ::testing::Test {
 protected:
  EpollTest() : fd_(::eventfd(1, EFD_NONBLOCK)) {}
  ~EpollTest() override { ::close(fd_); }

  void expectError(int error, const std::string& call, const std::function<void()>& action) {
    try {
      action();
      ADD_FAILURE() << "no error from " << call;
    } catch (const std::system_error& thrown) {
      EXPECT_EQ(error, thrown.code().value());
      EXPECT_NE(std::string::npos, std::string(thrown.what()).find(call)) << thrown.what();
    }
  }

  Epoll epoll_;
  const int fd_;  ///< Ready to be read and to be written.
};

TEST_F(EpollTest, ReportsWhatIsReadyWithTheDataThatItWasGiven) {
  epoll_.add(fd_, EPOLLIN, {.fd = 4711});
  const auto events = epoll_.wait(kNow);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(4711, events[0].data.fd);
  EXPECT_EQ(static_cast<uint32_t>(EPOLLIN), events[0].events);
}

TEST_F(EpollTest, ModifyChangesWhatIsWatchedAndTheData) {
  epoll_.add(fd_, EPOLLIN, {.fd = 1});
  epoll_.modify(fd_, EPOLLOUT, {.fd = 2});
  const auto events = epoll_.wait(kNow);
  ASSERT_EQ(1u, events.size());
  EXPECT_EQ(2, events[0].data.fd);
  EXPECT_EQ(static_cast<uint32_t>(EPOLLOUT), events[0].events);
}

TEST_F(EpollTest, ReportsNothingThatIsNotReadyOrNoLongerWatched) {
  const int idle = ::eventfd(0, EFD_NONBLOCK);
  epoll_.add(idle, EPOLLIN, {.fd = idle});
  epoll_.add(fd_, EPOLLIN, {.fd = fd_});
  epoll_.remove(fd_);
  EXPECT_TRUE(epoll_.wait(kNow).empty());
  ::close(idle);
}

TEST_F(EpollTest, WaitsAsLongAsItIsTold) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(epoll_.wait(milliseconds(30)).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(29));
}

TEST_F(EpollTest, NamesTheCallThatFailed) {
  expectError(ENOENT, "epoll_ctl(MOD)", [&] { epoll_.modify(fd_, EPOLLIN, {}); });
  expectError(ENOENT, "epoll_ctl(DEL)", [&] { epoll_.remove(fd_); });
  epoll_.add(fd_, EPOLLIN, {});
  expectError(EEXIST, "epoll_ctl(ADD)", [&] { epoll_.add(fd_, EPOLLIN, {}); });
}

TEST_F(EpollTest, ClosesItsOwnDescriptorAndNoOther) {
  const int next = ::dup(fd_);  // The number that the next descriptor will have.
  ::close(next);
  {
    Epoll epoll;
    epoll.add(fd_, EPOLLIN, {});
    EXPECT_GE(::fcntl(next, F_GETFD), 0);
  }
  EXPECT_LT(::fcntl(next, F_GETFD), 0);
  EXPECT_GE(::fcntl(fd_, F_GETFD), 0);
}

}  // namespace
}  // namespace reactor
