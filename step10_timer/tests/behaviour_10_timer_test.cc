// Silent clients do not stay for ever. The server runs with `-t 1`: an idle timeout of one second.

#include <gtest/gtest.h>

#include <chrono>
#include <string>

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
  // It says something every 100 ms, for three times as long as it might be silent.
  for (const auto end = Clock::now() + 3 * kTimeout; Clock::now() < end;) {
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

}  // namespace
}  // namespace reactor::testing
