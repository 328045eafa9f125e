// Silent clients do not stay for ever. The server runs with `-t 1`: an idle timeout of one second.

#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <string_view>

#include "framed_client.h"
#include "server_process.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

constexpr auto kTimeout = 1000ms;
// A timer may be early by the tick that it counts in, and late by as much on a busy machine.
constexpr auto kSlack = 100ms;

TEST(IdleTimeout, DropsASilentClientButNotBeforeItsTime) {
  EchoServerProcess server({"-t", "1"});
  FramedClient silent(server.port());
  ASSERT_EQ(silent.ask("hello"), "hello");
  FramedClient neverSpoke(server.port());
  const auto start = Clock::now();
  EXPECT_TRUE(neverSpoke.isCutOff());
  EXPECT_GE(Clock::now() - start, kTimeout - kSlack);
  EXPECT_TRUE(silent.isCutOff());
}

TEST(IdleTimeout, KeepsAClientThatTalks) {
  EchoServerProcess server({"-t", "1"});
  FramedClient talks(server.port());
  FramedClient silent(server.port());
  // It says something every 100 ms, for twice as long as it might be silent.
  for (const auto end = Clock::now() + 2 * kTimeout; Clock::now() < end;) {
    ASSERT_EQ(talks.ask("hello"), "hello");
    EXPECT_FALSE(talks.readable(100ms)) << "the end, or an answer to nothing";
  }
  EXPECT_TRUE(silent.isCutOff(0ms)) << "the silent one has outstayed its time";
  EXPECT_EQ(talks.ask("still there?"), "still there?");
}

TEST(IdleTimeout, EndsAHeaderThatAnnouncesMoreThanComes) {
  EchoServerProcess server({"-t", "1"});
  FramedClient client(server.port());
  client.send(bigEndian(1000) + "not a thousand bytes");
  EXPECT_TRUE(client.isCutOff());
}

TEST(StoppingServer, DoesNotWaitForAClientThatTakesNothing) {
  EchoServerProcess server;
  FramedClient client(server.port(), 4096);
  const std::string request = frame(std::string(60'000, 'x'));
  std::string_view rest = request;
  while (client.writable(300ms)) {  // Until the server reads no more, since its answers wait.
    rest.remove_prefix(client.sendSome(rest));
    if (rest.empty()) rest = request;
  }
  server.terminate();
  EXPECT_EQ(server.waitForExit(5s), 0);
}

TEST(StoppingServer, EndsWithFinThoughTheClientSendsOn) {
  EchoServerProcess server;
  FramedClient client(server.port());
  ASSERT_EQ(client.ask("hello"), "hello");
  const auto before = server.cpuTime();
  client.sendMessage("burn 300");
  ASSERT_TRUE(eventually([&] { return server.cpuTime() >= before + 20ms; }));  // It is at it.
  client.sendMessage("too late");
  server.terminate();
  EXPECT_EQ(client.receiveUntilEof(), frame("burn 300"));  // A reset would be an error.
  client.close();
  EXPECT_EQ(server.waitForExit(), 0);
}

}  // namespace
}  // namespace reactor::testing
