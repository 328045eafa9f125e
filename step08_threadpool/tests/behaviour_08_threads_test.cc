// An expensive request: the payload `burn MILLISECONDS` makes the server compute for that long
// before it answers.

#include <gtest/gtest.h>

#include <list>
#include <string>
#include <vector>

#include "child_process.h"
#include "framed_client.h"
#include "server_process.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

// Long enough for the others to be served meanwhile on a busy machine, too.
constexpr const char* kExpensive = "burn 1500";

/// Several, so that there is one in every I/O thread.
std::list<FramedClient> connectOthers(const EchoServerProcess& server) {
  std::list<FramedClient> others;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(others.emplace_back(server.port()).ask("hello"), "hello");
  }
  return others;
}

void expectAnswered(std::list<FramedClient>& others) {
  for (int i = 0; i < 5; ++i) {
    const std::string message = "cheap " + std::to_string(i);
    for (FramedClient& other : others) other.sendMessage(message);
    for (FramedClient& other : others) ASSERT_EQ(other.receiveMessage(), message);
  }
}

TEST(ExpensiveRequest, DelaysNoOtherClient) {
  EchoServerProcess server;
  std::list<FramedClient> others = connectOthers(server);
  FramedClient client(server.port());
  client.sendMessage(kExpensive);
  expectAnswered(others);
  EXPECT_FALSE(client.readable()) << "the others had to wait for it";
  EXPECT_EQ(client.receiveMessage(), kExpensive);
}

TEST(ExpensiveRequest, IsAnsweredBeforeTheCheapOnesAfterItButDelaysNoOther) {
  EchoServerProcess server;
  std::list<FramedClient> others = connectOthers(server);
  FramedClient client(server.port());
  const std::vector<std::string> requests = {"before", kExpensive, "burn 50",
                                             "after",  "burn 1",   "last"};
  std::string pipelined;
  for (const std::string& request : requests) pipelined += frame(request);
  client.send(pipelined);
  client.shutdownWrite();  // No reason not to get all answers.
  ASSERT_EQ(client.receiveMessage(), requests[0]);
  expectAnswered(others);
  EXPECT_FALSE(client.readable()) << "the others had to wait for it, or it was overtaken";
  for (std::size_t i = 1; i < requests.size(); ++i) {
    ASSERT_EQ(client.receiveMessage(), requests[i]);
  }
  EXPECT_EQ(client.receiveUntilEof(), "");
}

TEST(ExpensiveRequest, HurtsNobodyWhenItsClientVanishes) {
  EchoServerProcess server;
  std::list<FramedClient> others = connectOthers(server);
  const std::size_t descriptors = server.openDescriptors();
  {
    FramedClient vanishing(server.port());
    vanishing.send(frame("burn 300") + frame("burn 300"));
    FramedClient resetting(server.port());
    resetting.send(frame("burn 300") + frame("and what follows it"));
    resetting.reset();
  }
  FramedClient client(server.port());
  client.sendMessage(kExpensive);
  expectAnswered(others);
  EXPECT_FALSE(client.readable()) << "the others had to wait for it";
  EXPECT_EQ(client.receiveMessage(), kExpensive);
  expectAnswered(others);
  EXPECT_TRUE(eventually([&] { return server.openDescriptors() == descriptors + 1; }))
      << "a connection whose client is gone is still open";
}

TEST(ThreadOptions, AreTakenOrRefused) {
  EchoServerProcess server({"-i", "0", "-w", "0"});
  FramedClient client(server.port());
  EXPECT_EQ(client.ask("burn 1"), "burn 1");

  const std::vector<std::vector<std::string>> nonsense = {
      {"0", "-i"},       {"0", "-i", "-1"},   {"0", "-i", "two"},
      {"0", "-w", "1x"}, {"0", "-w", ""},     {"0", "-i", "9999"},
      {"0", "-t", "-5"}, {"0", "-t", "soon"}, {"0", "--no-such-option"}};
  for (const std::vector<std::string>& arguments : nonsense) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    refusal(echoServerPath(), arguments);
  }
}

}  // namespace
}  // namespace reactor::testing
