// A server that sleeps until something happens, and wakes at once when it does.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <list>
#include <string>
#include <thread>

#include "framed_client.h"
#include "server_process.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

using namespace std::chrono_literals;

// Generous, for a busy machine.
constexpr std::chrono::milliseconds kAtOnce = kSanitized ? 5s : 1s;
// A server may grant its clients as much to leave, once they have been told.
constexpr std::chrono::milliseconds kGrace = 2s;

std::list<FramedClient> connectSome(const EchoServerProcess& server) {
  std::list<FramedClient> clients;
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(clients.emplace_back(server.port()).ask("hello"), "hello");
  }
  return clients;
}

TEST(IdleServer, MakesNoContextSwitch) {
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer has a thread of its own that wakes";
  EchoServerProcess server;
  std::list<FramedClient> clients = connectSome(server);
  // Not in the first two seconds, perhaps: on a busy machine the threads have yet to fall asleep.
  std::int64_t switches = 0;
  EXPECT_TRUE(eventually([&] {
    const std::int64_t before = server.contextSwitches();
    std::this_thread::sleep_for(2s);
    switches = server.contextSwitches() - before;
    return switches == 0;
  })) << switches
      << " context switches in two seconds";

  for (FramedClient& client : clients) EXPECT_EQ(client.ask("awake?"), "awake?");
}

class Signal : public ::testing::TestWithParam<int> {};

TEST_P(Signal, EndsTheServerAtOnceWithExitCodeZero) {
  EchoServerProcess server;
  server.signal(GetParam());
  EXPECT_EQ(server.waitForExit(kAtOnce), 0);
}

TEST_P(Signal, EndsTheServerAtOnceWhenClientsAreConnected) {
  EchoServerProcess server;
  std::list<FramedClient> clients = connectSome(server);
  server.signal(GetParam());
  for (FramedClient& client : clients) {
    EXPECT_EQ(client.receiveUntilEof(), "");
    client.close();
  }
  EXPECT_EQ(server.waitForExit(kAtOnce), 0);
}

TEST_P(Signal, LetsAPendingReplyOutBeforeEndOfFile) {
  EchoServerProcess server;
  FramedClient client(server.port());
  ASSERT_EQ(client.ask("hello"), "hello");
  const auto before = server.cpuTime();
  client.sendMessage("burn 1000");
  ASSERT_TRUE(eventually([&] { return server.cpuTime() >= before + 20ms; }));  // It is at it.
  server.signal(GetParam());
  EXPECT_EQ(client.receiveUntilEof(), frame("burn 1000"));
  client.close();
  EXPECT_EQ(server.waitForExit(), 0);
}

INSTANTIATE_TEST_SUITE_P(Server, Signal, ::testing::Values(SIGTERM, SIGINT),
                         [](const auto& tested) {
                           return tested.param == SIGTERM ? "SIGTERM" : "SIGINT";
                         });

TEST(Termination, DoesNotWaitLongForAClientThatStays) {
  EchoServerProcess server;
  std::list<FramedClient> clients = connectSome(server);
  server.terminate();
  EXPECT_EQ(server.waitForExit(kGrace + kAtOnce), 0);
  for (FramedClient& client : clients) EXPECT_EQ(client.receiveUntilEof(), "");
}

}  // namespace
}  // namespace reactor::testing
