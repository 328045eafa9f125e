// Many clients at once: no one waits for another to leave.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "framed_client.h"
#include "server_process.h"

namespace reactor::testing {
namespace {

TEST(ManyClients, SecondIsAnsweredWhileTheFirstIsSilent) {
  EchoServerProcess server;
  FramedClient first(server.port());
  FramedClient second(server.port());
  EXPECT_EQ(second.ask("I came second"), "I came second");
  EXPECT_EQ(first.ask("I came first"), "I came first");
}

TEST(ManyClients, AThousandAtOnceAreAnswered) {
  constexpr std::size_t kClients = 1000;
  if (!allowDescriptors(kClients + 100)) GTEST_SKIP() << "the descriptor limit is too low";
  EchoServerProcess server;
  std::vector<FramedClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) clients.emplace_back(server.port());
  for (std::size_t i = 0; i < kClients; ++i) clients[i].sendMessage("I am " + std::to_string(i));
  // The last one first, so that no answer depends on another one having been read.
  for (std::size_t i = kClients; i-- > 0;) {
    ASSERT_EQ(clients[i].receiveMessage(), "I am " + std::to_string(i));
  }
}

}  // namespace
}  // namespace reactor::testing
