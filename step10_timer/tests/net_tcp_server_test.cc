// A server and its connections, without messages.

#include <gtest/gtest.h>

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "framed_client.h"
#include "net/event_loop.h"
#include "net/tcp_server.h"

namespace reactor {
namespace {

using testing::FramedClient;

class TcpServerTest : public ::testing::Test {
 protected:
  TcpServerTest() : server_(std::in_place, loop_, InetAddress::parse("127.0.0.1:0")) {
    server_->setErrorCallback([](std::error_code error) { ADD_FAILURE() << error.message(); });
  }

  uint16_t port() const { return server_->address().port(); }

  EventLoop loop_;
  std::optional<TcpServer> server_;
};

TEST_F(TcpServerTest, TellsOfAConnectionOnceThatItIsUpAndOnceThatItIsDown) {
  std::optional<FramedClient> client;
  std::vector<std::string> told;
  server_->setConnectionCallback([&](Connection& connection) {
    told.push_back(connection.connected() ? "up" : "down");
    EXPECT_EQ(connection.connected() ? 1u : 0u, server_->connectionCount());
    if (connection.connected()) {
      EXPECT_EQ(client->localPort(), connection.peer().port());
      EXPECT_EQ(&loop_, &connection.loop());
      client->close();
    } else {
      EXPECT_FALSE(connection.closeReason()) << "the peer has closed in good order";
      loop_.quit();
    }
  });
  server_->start();
  client.emplace(port());
  loop_.loop();
  EXPECT_EQ((std::vector<std::string>{"up", "down"}), told);
}

TEST_F(TcpServerTest, TellsWhyAConnectionWentDown) {
  std::optional<FramedClient> client;
  server_->setConnectionCallback([&](Connection& connection) {
    if (connection.connected()) return client->reset();
    EXPECT_EQ(errnoCode(ECONNRESET), connection.closeReason());
    loop_.quit();
  });
  server_->start();
  client.emplace(port());
  loop_.loop();
}

TEST_F(TcpServerTest, NoticesTheEndThatComesTogetherWithBytes) {
  server_->setConnectionCallback([&](Connection& connection) {
    if (connection.connected()) return;
    EXPECT_FALSE(connection.closeReason()) << "the peer has closed in good order";
    loop_.quit();
  });
  server_->start();
  FramedClient client(port());
  client.send("and that was all");
  client.shutdownWrite();
  loop_.loop();
}

TEST_F(TcpServerTest, ConnectionMayBeClosedInItsOwnCallbackAndTheFirstReasonCounts) {
  int told = 0;
  server_->setConnectionCallback([&](Connection& connection) {
    if (++told == 1) {
      connection.close(errnoCode(ETIMEDOUT));
      connection.close(errnoCode(ECONNABORTED));
      EXPECT_FALSE(connection.connected());
      connection.send("to nobody");
    } else {
      EXPECT_EQ(errnoCode(ETIMEDOUT), connection.closeReason());
      connection.close();
      loop_.quit();
    }
  });
  server_->start();
  FramedClient client(port());
  loop_.loop();
  EXPECT_EQ(2, told);
  EXPECT_TRUE(client.isCutOff());
}

TEST_F(TcpServerTest, NoIdIsUsedTwice) {
  constexpr int kConnections = 5;
  std::optional<FramedClient> client;
  std::vector<uint64_t> ids;
  server_->setConnectionCallback([&](Connection& connection) {
    if (connection.connected()) {
      for (const uint64_t id : ids) EXPECT_LT(id, connection.id());
      ids.push_back(connection.id());
      return client->close();
    }
    if (ids.size() == kConnections) return loop_.quit();
    loop_.runAtTurnEnd([&] { client.emplace(port()); });
  });
  server_->start();
  client.emplace(port());
  loop_.loop();
  EXPECT_EQ(kConnections, ids.size());
}

TEST_F(TcpServerTest, DestroyedWithAClientConnectedTellsNobody) {
  int told = 0;
  server_->setConnectionCallback([&](Connection&) {
    ++told;
    loop_.runAtTurnEnd([&] {
      server_.reset();
      loop_.quit();
    });
  });
  server_->start();
  FramedClient client(port());
  loop_.loop();
  EXPECT_TRUE(client.isCutOff());
  EXPECT_EQ(1, told);
}

}  // namespace
}  // namespace reactor
