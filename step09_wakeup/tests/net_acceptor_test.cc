#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

#include "framed_client.h"
#include "net/acceptor.h"
#include "net/event_loop.h"

namespace reactor {
namespace {

using testing::FramedClient;

const InetAddress kAnyPort = InetAddress::parse("127.0.0.1:0");

class AcceptorTest : public ::testing::Test {
 protected:
  AcceptorTest() : acceptor_(std::in_place, loop_, kAnyPort) {
    acceptor_->setErrorCallback([](std::error_code error) { ADD_FAILURE() << error.message(); });
  }

  uint16_t port() const { return acceptor_->address().port(); }

  EventLoop loop_;
  std::optional<Acceptor> acceptor_;
};

TEST_F(AcceptorTest, KnowsItsTruePort) {
  EXPECT_NE(0, port());
  EXPECT_EQ("127.0.0.1:" + std::to_string(port()), acceptor_->address().toString());
}

TEST_F(AcceptorTest, BusyPortIsAnErrorThatNamesBind) {
  acceptor_->listen();
  try {
    const Acceptor second(loop_, acceptor_->address());
    FAIL() << "two on one port";
  } catch (const std::system_error& error) {
    EXPECT_EQ(errnoCode(EADDRINUSE), error.code());
    EXPECT_EQ(0u, std::string(error.what()).find("bind: ")) << error.what();
  }
}

TEST_F(AcceptorTest, PeersAreRefusedBeforeItListensAndOnceItIsDestroyed) {
  const uint16_t itsPort = port();
  EXPECT_THROW(FramedClient client(itsPort), std::system_error);
  acceptor_->listen();
  EXPECT_NO_THROW(FramedClient client(itsPort));
  acceptor_.reset();
  EXPECT_THROW(FramedClient client(itsPort), std::system_error);
}

TEST_F(AcceptorTest, HandsOverEachConnectionWithItsPeer) {
  std::list<FramedClient> clients;
  size_t accepted = 0;
  acceptor_->setNewConnectionCallback([&](Socket socket, const InetAddress& peer) {
    uint16_t expected = 0;
    for (const FramedClient& client : clients) {
      if (client.localPort() == peer.port()) expected = peer.port();
    }
    EXPECT_NE(0, expected) << peer.toString() << " is nobody";
    EXPECT_EQ(acceptor_->address(), socket.localAddress());
    if (++accepted == clients.size()) loop_.quit();
  });
  acceptor_->listen();
  for (int i = 0; i < 3; ++i) clients.emplace_back(port());
  loop_.loop();
  EXPECT_EQ(3u, accepted);
}

TEST_F(AcceptorTest, TakesMoreThanItTakesInATurn) {
  constexpr size_t kClients = 600;
  if (!testing::allowDescriptors(2 * kClients + 100)) GTEST_SKIP() << "too few descriptors";
  std::list<FramedClient> clients;
  std::list<Socket> accepted;
  acceptor_->setNewConnectionCallback([&](Socket socket, const InetAddress&) {
    accepted.push_back(std::move(socket));
    if (accepted.size() == kClients) loop_.quit();
  });
  acceptor_->listen();
  for (size_t i = 0; i < kClients; ++i) clients.emplace_back(port());
  loop_.loop();  // For ever, if it forgets those that are left when a turn ends: edge-triggered.
  EXPECT_EQ(kClients, accepted.size());
}

TEST_F(AcceptorTest, StoppedInItsCallbackAcceptsNoMore) {
  std::list<FramedClient> clients;
  int accepted = 0;
  acceptor_->setNewConnectionCallback([&](Socket, const InetAddress&) {
    ++accepted;
    acceptor_->stop();
    loop_.quit();
  });
  acceptor_->listen();
  for (int i = 0; i < 3; ++i) clients.emplace_back(port());
  loop_.loop();
  EXPECT_EQ(1, accepted);
}

/// An acceptor in a process that may open no more descriptors.
class AcceptorWithoutDescriptors : public AcceptorTest {
 protected:
  AcceptorWithoutDescriptors() {
    ::getrlimit(RLIMIT_NOFILE, &limit_);
    acceptor_->listen();
  }
  ~AcceptorWithoutDescriptors() override { ::setrlimit(RLIMIT_NOFILE, &limit_); }

  void forbidMoreThan(int more) {
    const int next = ::dup(STDERR_FILENO);  // The number that the next descriptor would have.
    ::close(next);
    const rlimit low{static_cast<rlim_t>(next + more), limit_.rlim_max};
    ::setrlimit(RLIMIT_NOFILE, &low);
  }

  rlimit limit_{};
};

TEST_F(AcceptorWithoutDescriptors, TurnsEachPeerAwayAndTellsWhy) {
  std::list<FramedClient> clients;
  for (int i = 0; i < 3; ++i) clients.emplace_back(port());
  int turnedAway = 0;
  acceptor_->setErrorCallback([&](std::error_code error) {
    EXPECT_EQ(errnoCode(EMFILE), error);
    if (++turnedAway == 3) loop_.quit();
  });
  acceptor_->setNewConnectionCallback([](Socket, const InetAddress&) { FAIL() << "how?"; });
  forbidMoreThan(0);
  loop_.loop();
  for (FramedClient& client : clients) EXPECT_TRUE(client.isCutOff());
}

TEST_F(AcceptorWithoutDescriptors, DoesNotTellOfPeersThatAreNotThere) {
  const FramedClient client(port());
  std::optional<Socket> last;
  acceptor_->setNewConnectionCallback([&](Socket socket, const InetAddress&) {
    last = std::move(socket);
    loop_.quit();
  });
  forbidMoreThan(1);
  loop_.loop();
  EXPECT_TRUE(last);
}

TEST_F(AcceptorWithoutDescriptors, AcceptsAgainOnceSomeAreFree) {
  const FramedClient first(port());
  std::optional<FramedClient> second;
  acceptor_->setErrorCallback([&](std::error_code) {
    ::setrlimit(RLIMIT_NOFILE, &limit_);
    second.emplace(port());
  });
  acceptor_->setNewConnectionCallback([&](Socket, const InetAddress& peer) {
    EXPECT_EQ(second->localPort(), peer.port());
    loop_.quit();
  });
  forbidMoreThan(0);
  loop_.loop();
}

}  // namespace
}  // namespace reactor
