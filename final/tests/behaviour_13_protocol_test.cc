// goodbye_server, the example of a server made from a Protocol.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "child_process.h"
#include "framed_client.h"
#include "server_process.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

using namespace std::chrono_literals;

TEST(GoodbyeServer, SaysGoodbyeAfterSilenceAndNotBefore) {
  ServerProcess server(GOODBYE_SERVER_PATH, {"0", "--silence", "1"});
  FramedClient talks(server.port());
  FramedClient silent(server.port());
  const auto start = std::chrono::steady_clock::now();
  while (std::chrono::steady_clock::now() - start < 1500ms) {
    talks.send("hello");
    ASSERT_EQ(talks.receive(5), "hello");
    EXPECT_FALSE(talks.readable(100ms));
  }
  EXPECT_EQ(silent.receiveUntilEof(), "good-bye\n");
  talks.send("and");
  const auto last = std::chrono::steady_clock::now();
  EXPECT_EQ(talks.receiveUntilEof(), "andgood-bye\n");
  EXPECT_GE(std::chrono::steady_clock::now() - last, 990ms);
}

TEST(GoodbyeServer, EndsOnASignalAndRefusesNonsense) {
  ServerProcess server(GOODBYE_SERVER_PATH, {"0"});
  FramedClient client(server.port());
  client.send("hello");
  ASSERT_EQ(client.receive(5), "hello");
  server.terminate();
  EXPECT_EQ(client.receiveUntilEof(), "");
  client.close();
  EXPECT_EQ(server.waitForExit(), 0);
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"0", "--silence", "0"}, {"0", "--silence", "soon"}, {"65536"}, {"--no-such-option"}}) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    refusal(GOODBYE_SERVER_PATH, arguments);
  }
}

}  // namespace
}  // namespace reactor::testing
