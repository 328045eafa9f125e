// A server that runs out of descriptors.

#include <gtest/gtest.h>

#include <chrono>
#include <list>
#include <string>
#include <system_error>
#include <thread>

#include "framed_client.h"
#include "server_process.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

using namespace std::chrono_literals;

/// Asks, and returns whether the answer came. None comes to a client that was turned away.
bool isServed(FramedClient& client) {
  try {
    return client.ask("hello") == "hello";
  } catch (const std::exception&) {
    return false;
  }
}

TEST(OutOfDescriptors, NeitherDiesNorSpinsAndServesAgainOnceSomeAreFree) {
  constexpr rlim_t kDescriptors = 40;
  constexpr std::size_t kClients = 80;
  constexpr std::size_t kServedAtLeast = 20;
  EchoServerProcess server({}, kDescriptors);

  std::list<FramedClient> clients;
  for (std::size_t i = 0; i < kClients; ++i) {
    try {
      clients.emplace_back(server.port()).sendMessage("hello");
    } catch (const std::system_error&) {
      clients.pop_back();  // Turned away before it could speak.
    }
  }
  // The others are turned away or left waiting: either is in order.
  std::list<FramedClient> served;
  for (auto client = clients.begin(); client != clients.end();) {
    const auto next = std::next(client);
    if (served.size() < kServedAtLeast && client->readable(kPatience)) {
      served.splice(served.end(), clients, client);
    }
    client = next;
  }
  ASSERT_EQ(served.size(), kServedAtLeast);
  for (FramedClient& client : served) ASSERT_EQ(client.receiveMessage(), "hello");

  // How much processor time does it use while nothing happens?
  const auto before = server.cpuTime();
  std::this_thread::sleep_for(500ms);
  EXPECT_LE(server.cpuTime() - before, kSanitized ? 200ms : 50ms) << "it spins";
  ASSERT_TRUE(server.running());

  FramedClient stays = std::move(served.front());
  served.clear();
  clients.clear();
  EXPECT_EQ(stays.ask("I am still here"), "I am still here");
  EXPECT_TRUE(eventually([&] {
    FramedClient newcomer(server.port());
    return isServed(newcomer);
  }));
}

}  // namespace
}  // namespace reactor::testing
