// What half_sync_server does that echo_server does not. The tests of echo_server that make sense
// for it are run against it as well: see CMakeLists.txt.

#include <gtest/gtest.h>
#include <signal.h>

#include <chrono>
#include <cstdint>
#include <ctime>
#include <list>
#include <string>
#include <vector>

#include "../tests/child_process.h"
#include "../tests/framed_client.h"
#include "../tests/server_process.h"
#include "../tests/waiting.h"

namespace reactor::testing {
namespace {

using namespace std::chrono_literals;

class HalfSyncServer : public ServerProcess {
 public:
  explicit HalfSyncServer(std::vector<std::string> options = {})
      : ServerProcess(HALF_SYNC_SERVER_PATH, withPort(std::move(options))) {}

 private:
  static std::vector<std::string> withPort(std::vector<std::string> options) {
    options.insert(options.end(), {"-p", "0"});
    return options;
  }
};

// The moment that the stamp at the front of `reply` tells; -1 if there is none, or not `message`
// behind it.
std::time_t stampOf(const std::string& reply, const std::string& message) {
  std::tm local{};
  const char* rest = ::strptime(reply.c_str(), "[%Y-%m-%d %H:%M:%S]", &local);
  if (rest == nullptr || rest != "server reply: " + message) return -1;
  local.tm_isdst = -1;
  return std::mktime(&local);
}

TEST(HalfSync, RepliesWithTheTimeAndTheMessage) {
  HalfSyncServer server;
  FramedClient client(server.port());
  for (const std::string message : {"hello", "[not a stamp]"}) {
    const std::time_t before = std::time(nullptr);
    const std::string reply = client.ask(message);
    const std::time_t stamp = stampOf(reply, message);
    EXPECT_GE(stamp, before) << reply;
    EXPECT_LE(stamp, std::time(nullptr)) << reply;
  }
  const std::string longest(64 * 1024, 'x');
  EXPECT_NE(stampOf(client.ask(longest), longest), -1);
}

TEST(HalfSync, HandlesTheRequestsOfOneClientOneAfterTheOther) {
  HalfSyncServer server({"-n"});
  FramedClient client(server.port());
  ASSERT_EQ(client.ask("hello"), "hello");
  const auto before = server.cpuTime();
  client.sendMessage("burn 500");
  ASSERT_TRUE(eventually([&] { return server.cpuTime() >= before + 20ms; }));  // It is at it.
  for (int i = 0; i < 4; ++i) {  // Four workers have nothing to do. Each of these is an event.
    client.sendMessage("and " + std::to_string(i));
    FramedClient other(server.port());
    ASSERT_EQ(other.ask("hello"), "hello");
  }
  EXPECT_FALSE(client.readable()) << "a second worker was at it";
  EXPECT_EQ(client.receiveMessage(), "burn 500");
  for (int i = 0; i < 4; ++i) EXPECT_EQ(client.receiveMessage(), "and " + std::to_string(i));
}

TEST(HalfSync, SleepsWhenNothingHappens) {
  HalfSyncServer server;
  std::list<FramedClient> clients;
  for (int i = 0; i < 8; ++i) clients.emplace_back(server.port()).ask("hello");
  std::int64_t switches = 0;
  EXPECT_TRUE(eventually([&] {
    const std::int64_t before = server.contextSwitches();
    std::this_thread::sleep_for(500ms);
    switches = server.contextSwitches() - before;
    // ThreadSanitizer has a thread of its own that wakes.
    return switches <= (kThreadSanitizer ? 50 : 0);
  })) << switches
      << " context switches";
}

class HalfSyncSignal : public ::testing::TestWithParam<int> {};

TEST_P(HalfSyncSignal, EndsItAndLetsAReplyOutThatWasBegun) {
  HalfSyncServer server({"-n"});
  std::list<FramedClient> idle;
  for (int i = 0; i < 8; ++i) idle.emplace_back(server.port()).ask("hello");
  FramedClient client(server.port());
  ASSERT_EQ(client.ask("hello"), "hello");
  const auto before = server.cpuTime();
  client.sendMessage("burn 300");
  ASSERT_TRUE(eventually([&] { return server.cpuTime() >= before + 20ms; }));  // It is at it.
  server.signal(GetParam());
  EXPECT_EQ(client.receiveUntilEof(), frame("burn 300"));
  EXPECT_EQ(server.waitForExit(), 0);
  for (FramedClient& other : idle) EXPECT_EQ(other.receiveUntilEof(), "");
}

INSTANTIATE_TEST_SUITE_P(Server, HalfSyncSignal, ::testing::Values(SIGTERM, SIGINT),
                         [](const auto& tested) {
                           return tested.param == SIGTERM ? "SIGTERM" : "SIGINT";
                         });

TEST(HalfSync, BecomesADaemon) {
  ChildProcess launcher(HALF_SYNC_SERVER_PATH, {"-d", "-p", "0"});
  ASSERT_EQ(launcher.waitForExit(), 0);
  const std::string said = launcher.output();
  const std::size_t port = said.find("127.0.0.1:");
  const std::size_t process = said.find("\nprocess ");
  ASSERT_TRUE(port != std::string::npos && process != std::string::npos) << said;
  const pid_t daemon = std::stoi(said.substr(process + 9));
  FramedClient client(static_cast<std::uint16_t>(std::stoi(said.substr(port + 10))));
  const std::string reply = client.ask("hello");
  EXPECT_NE(stampOf(reply, "hello"), -1) << reply;
  EXPECT_EQ(::getsid(daemon), daemon) << "it has no session of its own";
  EXPECT_EQ(::kill(daemon, SIGTERM), 0);
  EXPECT_EQ(client.receiveUntilEof(), "");
}

TEST(HalfSync, RefusesWhatItDoesNotUnderstand) {
  for (const std::vector<std::string>& arguments : std::vector<std::vector<std::string>>{
           {"-p"}, {"-p", "65536"}, {"-p", "http"}, {"-x"}, {"12345"}, {"-d", "-p", ""}}) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    refusal(HALF_SYNC_SERVER_PATH, arguments);
  }
}

}  // namespace
}  // namespace reactor::testing
