// Where select(2) ends: at descriptor FD_SETSIZE.

#include <gtest/gtest.h>
#include <sys/select.h>

#include <algorithm>
#include <string>
#include <vector>

#include "../tests/framed_client.h"
#include "../tests/server_process.h"
#include "../tests/waiting.h"

namespace reactor::testing {
namespace {

constexpr std::size_t kRefused = 20;

class SelectServer : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!allowDescriptors(FD_SETSIZE + 100)) GTEST_SKIP() << "the descriptor limit is too low";
  }

  // How many lines the server has printed on standard error.
  static std::size_t complaints(const ServerProcess& server) {
    const std::string said = server.errors();
    return static_cast<std::size_t>(std::count(said.begin(), said.end(), '\n'));
  }
};

TEST_F(SelectServer, ServesTheClientsThatFitAndClosesTheOthers) {
  EchoServerProcess server;
  const std::size_t fit = FD_SETSIZE - server.openDescriptors();
  std::vector<FramedClient> clients;
  for (std::size_t i = 0; i < fit + kRefused; ++i) clients.emplace_back(server.port());
  for (std::size_t i = fit; i < clients.size(); ++i) {
    ASSERT_TRUE(clients[i].isCutOff()) << "client " << i;
  }
  for (std::size_t i = 0; i < fit; ++i) {
    ASSERT_EQ(clients[i].ask("I am " + std::to_string(i)), "I am " + std::to_string(i));
  }
  EXPECT_EQ(complaints(server), kRefused);
  EXPECT_EQ(server.errors().rfind("select_server: client refused: it would be descriptor 1024", 0),
            0U)
      << server.errors();
}

TEST_F(SelectServer, ServesANewClientOnceOneHasLeft) {
  EchoServerProcess server;
  const std::size_t fit = FD_SETSIZE - server.openDescriptors();
  std::vector<FramedClient> clients;
  for (std::size_t i = 0; i < fit; ++i) clients.emplace_back(server.port());
  ASSERT_TRUE(FramedClient(server.port()).isCutOff());

  clients[fit / 2].close();
  ASSERT_TRUE(eventually([&] { return server.openDescriptors() == FD_SETSIZE - 1; }));
  FramedClient late(server.port());
  EXPECT_EQ(late.ask("I came late"), "I came late");
  EXPECT_EQ(clients.back().ask("I am the last"), "I am the last");
  EXPECT_EQ(complaints(server), 1U);
}

}  // namespace
}  // namespace reactor::testing
