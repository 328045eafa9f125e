// One connection of a server, and a peer that behaves badly: slow, vanishing, half-closing.

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <atomic>
#include <ctime>
#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "framed_client.h"
#include "net/connection.h"
#include "net/net_error.h"
#include "net/tcp_server.h"
#include "waiting.h"

namespace reactor {
namespace {

using std::chrono::milliseconds;
using testing::eventually;
using testing::FramedClient;

/// A server on a loop of its own in a thread of its own; the test is the peer.
class ServedConnection : public ::testing::Test {
 protected:
  ~ServedConnection() override {
    if (!thread_.joinable()) return;
    inLoop([this] {
      server_.reset();
      loop_->quit();
    });
    thread_.join();
  }

  void serve(ConnectionLimits limits, MessageCallback message) {
    std::promise<void> ready;
    thread_ = std::thread([&] {
      EventLoop loop;
      loop_ = &loop;
      server_.emplace(loop, InetAddress::parse("127.0.0.1:0"),
                      TcpServer::Options{0, limits, {}, SIZE_MAX});
      server_->setConnectionCallback([this](Connection& connection) {
        if (connection.connected()) {
          connection_ = connection.weak_from_this();
        } else {
          reason_ = connection.closeReason();
          down_ = true;
        }
      });
      server_->setMessageCallback(message);
      server_->setWriteCompleteCallback([this](Connection&) { ++writesComplete_; });
      server_->start();
      port_ = server_->address().port();
      ready.set_value();
      loop.loop();
    });
    ready.get_future().wait();
  }

  /// Runs `task` in the loop's thread and waits for it.
  void inLoop(const std::function<void()>& task) {
    std::promise<void> done;
    loop_->queueInLoop([&] {
      task();
      done.set_value();
    });
    done.get_future().wait();
  }

  /// What `question` answers in the loop's thread.
  template <typename F>
  auto ask(F question) {
    decltype(question(*connection_.lock())) answer{};
    inLoop([&] {
      if (const auto connection = connection_.lock()) answer = question(*connection);
    });
    return answer;
  }

  /// CPU time that the loop's thread has used.
  milliseconds loopCpuTime() {
    timespec time{};
    inLoop([&] { ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time); });
    return std::chrono::duration_cast<milliseconds>(std::chrono::seconds(time.tv_sec) +
                                                    std::chrono::nanoseconds(time.tv_nsec));
  }

  static void echo(Connection& connection, Buffer& input) {
    connection.send(input.peek());
    input.retrieveAll();
  }

  std::thread thread_;
  EventLoop* loop_ = nullptr;
  std::optional<TcpServer> server_;
  uint16_t port_ = 0;
  std::weak_ptr<Connection> connection_;  ///< Locked in the loop's thread only.
  std::error_code reason_;                ///< Valid once down_.
  std::atomic<bool> down_{false};
  std::atomic<int> writesComplete_{0};
};

constexpr size_t kMiB = 1 << 20;

TEST_F(ServedConnection, WhatATurnSendsLeavesInOneWrite) {
  serve({}, [](Connection& connection, Buffer& input) {
    input.retrieveAll();
    for (int i = 0; i < 1000; ++i) connection.send("0123456789");
  });
  FramedClient peer(port_);
  peer.send("go");
  EXPECT_EQ(10'000u, peer.receive(10'000).size());
  EXPECT_TRUE(eventually([&] { return writesComplete_ == 1; }));
}

TEST_F(ServedConnection, HighWaterMarkPausesReadingAndNothingIsLost) {
  serve({kMiB, 64 * kMiB}, echo);
  FramedClient peer(port_);
  const std::string block(kMiB, 'x');
  // Until the server reads no more and the kernel's buffers are full on both ways.
  size_t sent = 0;
  while (true) {
    const ssize_t n = ::send(peer.fd(), block.data(), block.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n > 0) {
      sent += static_cast<size_t>(n);
      continue;
    }
    ASSERT_EQ(EAGAIN, errno) << reason_.message();
    const size_t before = ask([](Connection& c) { return c.backlog(); });
    if (before > kMiB && ask([](Connection& c) { return c.backlog(); }) == before) break;
  }
  EXPECT_LT(ask([](Connection& c) { return c.backlog(); }), 3 * kMiB);
  peer.shutdownWrite();
  EXPECT_EQ(sent, peer.receive(sent).size());
  EXPECT_TRUE(peer.isCutOff());
}

TEST_F(ServedConnection, PeerThatDoesNotReadIsDroppedBeyondTheBacklogLimit) {
  serve({kMiB, 2 * kMiB}, [](Connection& connection, Buffer& input) {
    input.retrieveAll();
    const std::string much(64 * 1024, 'x');
    for (int i = 0; i < 10'000; ++i) connection.send(much);
    EXPECT_LE(connection.backlog(), 2 * kMiB + much.size());
  });
  FramedClient peer(port_);
  peer.send("go");
  EXPECT_TRUE(eventually([&] { return down_.load(); }));
  EXPECT_EQ(NetError::kBacklogExceeded, reason_);
}

TEST_F(ServedConnection, ResetWhileReadingIsPausedIsNoticedAtOnceAndDoesNotSpin) {
  serve({}, [](Connection& connection, Buffer&) { connection.pauseReading(); });
  FramedClient peer(port_);
  peer.send("pause");
  ASSERT_TRUE(eventually([&] { return ask([](Connection& c) { return c.input().size(); }) == 5; }));
  peer.reset();
  EXPECT_TRUE(eventually([&] { return down_.load(); }));
  EXPECT_EQ(errnoCode(ECONNRESET), reason_);
}

TEST_F(ServedConnection, HangUpOfAPausedPeerDoesNotSpin) {
  serve({}, [](Connection& connection, Buffer&) {
    connection.pauseReading();
    connection.shutdown();  // Both directions are shut once the peer closes: EPOLLHUP.
  });
  FramedClient peer(port_);
  peer.send("pause");
  EXPECT_TRUE(peer.isCutOff());
  peer.shutdownWrite();
  EXPECT_TRUE(eventually([&] { return down_.load(); }));
  const milliseconds before = loopCpuTime();
  // A loop that spins uses the whole of this time; there is nothing else to wait for.
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(loopCpuTime() - before, milliseconds(150));
}

TEST_F(ServedConnection, HalfCloseOfAPausedPeerNeitherSpinsNorLosesWhatItSent) {
  std::atomic<bool> paused{false};
  std::atomic<size_t> received{0};
  serve({}, [&](Connection& connection, Buffer& input) {
    received += input.size();
    input.retrieveAll();
    if (!paused.exchange(true)) connection.pauseReading();
  });
  FramedClient peer(port_);
  peer.send("first");
  ASSERT_TRUE(eventually([&] { return received == 5; }));
  peer.send("second");
  peer.shutdownWrite();
  const milliseconds before = loopCpuTime();
  std::this_thread::sleep_for(milliseconds(300));
  EXPECT_LT(loopCpuTime() - before, milliseconds(150));
  EXPECT_FALSE(down_);
  inLoop([&] { connection_.lock()->resumeReading(); });
  EXPECT_TRUE(eventually([&] { return down_.load(); }));
  EXPECT_EQ(11u, received);
  EXPECT_FALSE(reason_) << reason_.message();
}

TEST_F(ServedConnection, FinThatComesTogetherWithTheLastBytesIsNotMissed) {
  serve({}, echo);
  for (int i = 0; i < 200; ++i) {
    FramedClient peer(port_);
    peer.send("last words");
    peer.shutdownWrite();
    EXPECT_EQ("last words", peer.receive(10));
    EXPECT_TRUE(peer.isCutOff());
  }
}

TEST_F(ServedConnection, SendsAllThatWaitsAfterShutdownThenFin) {
  serve({kMiB, 64 * kMiB}, [](Connection& connection, Buffer& input) {
    input.retrieveAll();
    connection.send(std::string(16 * kMiB, 'x'));
    connection.shutdown();
    connection.send("too late");
  });
  FramedClient peer(port_);
  peer.send("go");
  EXPECT_EQ(16 * kMiB, peer.receive(16 * kMiB).size());
  EXPECT_TRUE(peer.isCutOff());
  EXPECT_FALSE(down_);  // The peer may still send.
  peer.shutdownWrite();
  EXPECT_TRUE(eventually([&] { return down_.load(); }));
  EXPECT_FALSE(reason_) << reason_.message();
}

TEST_F(ServedConnection, HoldsNoBufferMemoryWhenIdle) {
  const std::string block(256 * 1024, 'x');
  serve({}, [&](Connection& connection, Buffer& input) {
    if (input.size() == block.size()) echo(connection, input);
  });
  FramedClient peer(port_);
  for (int i = 0; i < 4; ++i) {
    peer.send(block);
    EXPECT_EQ(block.size(), peer.receive(block.size()).size());
  }
  EXPECT_TRUE(eventually([&] { return ask([](Connection& c) { return c.backlog(); }) == 0; }));
  EXPECT_EQ(0u, ask([](Connection& c) { return c.input().capacity(); }));
}

TEST_F(ServedConnection, KeepsNoMoreThanItMustOfAHalfFrame) {
  serve({}, [](Connection&, Buffer&) {});  // Waits for more, for ever.
  FramedClient peer(port_);
  for (size_t size = 1; size <= 8; ++size) {
    peer.send("x");
    ASSERT_TRUE(
        eventually([&] { return ask([](Connection& c) { return c.input().size(); }) == size; }));
  }
  EXPECT_LE(ask([](Connection& c) { return c.input().capacity(); }), 64u);
}

}  // namespace
}  // namespace reactor
