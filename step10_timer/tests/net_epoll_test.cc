#include <fcntl.h>
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <set>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

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
      EXPECT_EQ(0u, std::string(thrown.what()).find(call + ": ")) << thrown.what();
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
  EXPECT_GE(::fcntl(fd_, F_GETFD), 0) << "removing must not close";
  ::close(idle);
}

TEST_F(EpollTest, WaitsAsLongAsItIsTold) {
  const auto before = std::chrono::steady_clock::now();
  EXPECT_TRUE(epoll_.wait(milliseconds(30)).empty());
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(29));
}

TEST_F(EpollTest, WaitsForEverIfToldSoUntilSomethingIsReady) {
  const int late = ::eventfd(0, EFD_NONBLOCK);
  epoll_.add(late, EPOLLIN, {.fd = late});
  const auto before = std::chrono::steady_clock::now();
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(30));
    ::eventfd_write(late, 1);
  });
  const auto events = epoll_.wait(milliseconds(-1));
  EXPECT_GE(std::chrono::steady_clock::now() - before, milliseconds(30));
  EXPECT_EQ(1u, events.size());
  other.join();
  ::close(late);
}

TEST_F(EpollTest, SignalEndsTheWaitWithoutAnEvent) {
  struct sigaction action {};
  struct sigaction old {};
  action.sa_handler = [](int) {};
  ::sigaction(SIGUSR1, &action, &old);
  // Again and again, as nobody can tell from outside that the wait has begun.
  std::atomic<bool> over{false};
  std::thread other([&, waiter = ::pthread_self()] {
    while (!over) {
      ::pthread_kill(waiter, SIGUSR1);
      std::this_thread::sleep_for(milliseconds(1));
    }
  });
  size_t events = 1;
  EXPECT_NO_THROW(events = epoll_.wait(milliseconds(-1)).size());
  over = true;
  other.join();
  EXPECT_EQ(0u, events);
  ::sigaction(SIGUSR1, &old, nullptr);
}

TEST_F(EpollTest, MoreThanOneWaitReturnsComesWithTheNext) {
  constexpr int kMore = Epoll::kMaxEvents / 2;
  std::set<int> unreported;
  std::vector<int> copies;
  for (int i = 0; i < kMore + Epoll::kMaxEvents; ++i) {
    const int copy = ::fcntl(fd_, F_DUPFD_CLOEXEC, 0);
    if (copy < 0) break;
    copies.push_back(copy);
    epoll_.add(copy, EPOLLIN | EPOLLET, {.fd = copy});
    unreported.insert(copy);
  }
  if (copies.size() == kMore + Epoll::kMaxEvents) {
    for (const size_t expected : {size_t{Epoll::kMaxEvents}, size_t{kMore}, size_t{0}}) {
      const auto events = epoll_.wait(kNow);
      EXPECT_EQ(expected, events.size());
      for (const epoll_event& event : events) EXPECT_EQ(1u, unreported.erase(event.data.fd));
    }
  }
  for (const int copy : copies) ::close(copy);
  if (copies.size() < kMore + Epoll::kMaxEvents) GTEST_SKIP() << "too few descriptors: ulimit -n";
  EXPECT_TRUE(unreported.empty());
}

TEST_F(EpollTest, ModifyReportsOnceMoreWhatIsReady) {
  epoll_.add(fd_, EPOLLIN | EPOLLET, {.fd = fd_});
  EXPECT_EQ(1u, epoll_.wait(kNow).size());
  EXPECT_TRUE(epoll_.wait(kNow).empty()) << "edge-triggered";
  epoll_.modify(fd_, EPOLLIN | EPOLLET, {.fd = fd_});
  EXPECT_EQ(1u, epoll_.wait(kNow).size());
}

TEST_F(EpollTest, NamesTheCallThatFailed) {
  expectError(EBADF, "epoll_ctl(ADD)", [&] { epoll_.add(-1, EPOLLIN, {}); });
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
    EXPECT_EQ(FD_CLOEXEC, ::fcntl(next, F_GETFD)) << "open, and closed in a child program";
  }
  EXPECT_LT(::fcntl(next, F_GETFD), 0);
  EXPECT_GE(::fcntl(fd_, F_GETFD), 0);
}

TEST_F(EpollTest, TakesALongTimeoutForALongOne) {
  const int late = ::eventfd(0, EFD_NONBLOCK);
  epoll_.add(late, EPOLLIN, {.fd = late});
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(30));
    ::eventfd_write(late, 1);
  });
  EXPECT_EQ(1u, epoll_.wait(milliseconds(int64_t{1} << 32)).size()) << "49 days are not over";
  other.join();
  ::close(late);
}

}  // namespace
}  // namespace reactor
