// The chat server and its clients: every frame goes to everyone, its sender included.

#include <gtest/gtest.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdint>
#include <list>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>
#include <vector>

#include "checked_client.h"
#include "child_process.h"
#include "framed_client.h"
#include "server_process.h"
#include "system_call_counter.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kSmallReceiveBuffer = 4096;
constexpr std::size_t kLargeMessage = 64'000;

/// A chat server on a free port, with two I/O threads unless `options` say otherwise.
class ChatServerProcess : public ServerProcess {
 public:
  explicit ChatServerProcess(const std::vector<std::string>& options = {})
      : ServerProcess(CHAT_SERVER_PATH, arguments(options)) {}

  bool hasLogged(std::string_view text) const { return errors().find(text) != std::string::npos; }

 private:
  static std::vector<std::string> arguments(const std::vector<std::string>& options) {
    std::vector<std::string> all{"0"};
    if (std::find(options.begin(), options.end(), "-i") == options.end()) {
      all.insert(all.end(), {"-i", "2"});
    }
    all.insert(all.end(), options.begin(), options.end());
    return all;
  }
};

/// Receives messages until `awaited` comes, and throws the others away.
void receiveUntil(CheckedClient& client, std::string_view awaited) {
  while (client.receiveMessage() != awaited) continue;
}

/// Returns once `client` takes part: it has received its own greeting.
void enter(CheckedClient& client, std::string_view greeting) {
  client.sendMessage(greeting);
  receiveUntil(client, greeting);
}

/// Connects a client that greets, and returns it once all who are `present` know, itself included.
/// (Between messages of several senders there is no order, except that one was answered before the
/// other was sent.)
CheckedClient join(const ChatServerProcess& server, std::string_view greeting,
                   const std::vector<CheckedClient*>& present = {}, int receiveBufferBytes = 0) {
  CheckedClient newcomer(server.port(), receiveBufferBytes);
  enter(newcomer, greeting);
  for (CheckedClient* other : present) receiveUntil(*other, greeting);
  return newcomer;
}

/// Each test runs with each broadcast strategy, and with both ways to flush.
class Chat : public ::testing::TestWithParam<std::tuple<const char*, const char*>> {
 protected:
  static std::vector<std::string> with(std::vector<std::string> options = {}) {
    const auto [broadcast, flush] = GetParam();
    options.insert(options.end(), {"--broadcast", broadcast, "--flush", flush});
    return options;
  }
};

INSTANTIATE_TEST_SUITE_P(Broadcast, Chat,
                         ::testing::Combine(::testing::Values("per-loop", "lock", "cow"),
                                            ::testing::Values("turn", "message")),
                         [](const auto& tested) {
                           std::string name = std::get<0>(tested.param);
                           name.append("_").append(std::get<1>(tested.param));
                           std::erase(name, '-');
                           return name;
                         });

TEST_P(Chat, ClientsReadEachOther) {
  ChatServerProcess server(with());
  CheckedClient a = join(server, "a is here");
  CheckedClient b = join(server, "b is here", {&a});
  for (int i = 0; i < 100; ++i) {
    const std::string message = "message " + std::to_string(i);
    CheckedClient& speaker = i % 2 == 0 ? a : b;
    speaker.sendMessage(message);
    ASSERT_EQ(a.receiveMessage(), message);
    ASSERT_EQ(b.receiveMessage(), message);
  }
}

// b does not read, so that much of what a sends is still waiting for b in the server when b leaves
// and c gets the descriptor that was b's.
TEST_P(Chat, WhatWasMeantForTheFormerOwnerOfADescriptorNeverReachesTheNext) {
  ChatServerProcess server(with());
  CheckedClient a = join(server, "a is here");
  const std::size_t withoutB = server.openDescriptors();
  for (int round = 0; round < 10; ++round) {
    CheckedClient b = join(server, "b is here", {&a}, kSmallReceiveBuffer);
    const std::string forB(kLargeMessage, 'b');
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(a.ask(forB) == forB);
    b.close();
    // Every other time c comes while b may still be leaving.
    if (round % 2 == 0) {
      ASSERT_TRUE(eventually([&] { return server.openDescriptors() == withoutB; }));
    }
    CheckedClient c(server.port());
    ASSERT_EQ(c.ask("c is here").substr(0, 20), "c is here");  // Cut: it might be 64,000 b.
    ASSERT_EQ(a.receiveMessage(), "c is here");
    ASSERT_EQ(a.ask("for c as well"), "for c as well");
    ASSERT_EQ(c.receiveMessage(), "for c as well");
    c.close();
    ASSERT_TRUE(eventually([&] { return server.openDescriptors() == withoutB; }));
  }
}

TEST_P(Chat, DropsAClientThatDoesNotReadAndSaysWhy) {
  ChatServerProcess server(with({"--backlog", "1048576"}));
  CheckedClient a = join(server, "a is here");
  CheckedClient neverReads = join(server, "I shall not listen", {&a}, kSmallReceiveBuffer);
  CheckedClient other = join(server, "other is here", {&a});

  const std::int64_t before = server.residentKiB();
  std::int64_t most = before;
  const std::string message(kLargeMessage, 'x');
  bool dropped = false;
  for (int i = 0; i < 1000 && !dropped; ++i) {
    ASSERT_TRUE(a.ask(message) == message);
    ASSERT_TRUE(other.receiveMessage() == message);
    most = std::max(most, server.residentKiB());
    dropped = server.hasLogged("backlog");
  }
  EXPECT_TRUE(dropped) << "64 MB are sent, and the client that does not read is still in";
  EXPECT_LT(most - before, kSanitized ? 80 * 1024 : 16 * 1024);
  EXPECT_TRUE(neverReads.isCutOff());
  EXPECT_EQ(a.ask("still there?"), "still there?");
  EXPECT_EQ(other.receiveMessage(), "still there?");
}

TEST_P(Chat, SendsWhatWaitsBeforeItEnds) {
  ChatServerProcess server(with({"--backlog", "67108864"}));
  CheckedClient a = join(server, "a is here");
  CheckedClient slow = join(server, "I read later", {&a}, kSmallReceiveBuffer);
  const std::string message(kLargeMessage, 'x');
  constexpr std::size_t kMessages = 160;
  for (std::size_t i = 0; i < kMessages; ++i) ASSERT_TRUE(a.ask(message) == message);

  server.terminate();
  EXPECT_EQ(a.receiveUntilEof(), "");
  EXPECT_EQ(slow.receiveUntilEof().size(), kMessages * checkedFrame(message).size());
  a.close();
  slow.close();
  EXPECT_EQ(server.waitForExit(), 0);
}

/// What one of the thousand has received.
struct Listener {
  static constexpr std::size_t kSenders = 10;

  explicit Listener(std::uint16_t port) : client(port) {}

  CheckedClient client;
  std::string unparsed;
  bool hasHeardProbe = false;
  std::array<int, kSenders> messagesOf{};  // By sender.

  /// Reads what is there and checks it. Returns how many messages came, probes not counted.
  int read() {
    char chunk[64 * 1024];
    const ssize_t n = ::recv(client.fd(), chunk, sizeof chunk, 0);
    if (n <= 0) throw std::runtime_error("one of the thousand was cut off");
    unparsed.append(chunk, static_cast<std::size_t>(n));
    int messages = 0;
    std::size_t at = 0;
    while (unparsed.size() - at >= 4) {
      const std::size_t length = static_cast<unsigned char>(unparsed[at + 3]);
      if (unparsed.size() - at < 4 + length + 4) break;
      const std::string_view payload = std::string_view(unparsed).substr(at + 4, length);
      if (unparsed.compare(at, 4 + length + 4, checkedFrame(payload)) != 0) {
        throw std::runtime_error("one of the thousand got a broken frame");
      }
      messages += take(payload) ? 1 : 0;
      at += 4 + length + 4;
    }
    unparsed.erase(0, at);
    return messages;
  }

  /// A payload is "probe" or "SENDER NUMBER".
  bool take(std::string_view payload) {
    if (payload == "probe") {
      hasHeardProbe = true;
      return false;
    }
    const auto sender = static_cast<std::size_t>(payload.at(0) - '0');
    if (payload.substr(2) != std::to_string(messagesOf.at(sender)++)) {
      throw std::runtime_error("one of the thousand got \"" + std::string(payload) + "\" in its " +
                               "place " + std::to_string(messagesOf[sender] - 1));
    }
    return true;
  }
};

/// All of them, read in one thread.
class Listeners {
 public:
  Listeners(std::uint16_t port, std::size_t count) : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
    for (std::size_t i = 0; i < count; ++i) {
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &listeners_.emplace_back(port);
      ::epoll_ctl(epoll_, EPOLL_CTL_ADD, listeners_.back().client.fd(), &event);
    }
  }
  ~Listeners() { ::close(epoll_); }
  Listeners(const Listeners&) = delete;
  Listeners& operator=(const Listeners&) = delete;

  std::list<Listener>& all() { return listeners_; }

  /// Reads what comes within `patience`. Returns how many messages that was, nothing if not a byte
  /// came.
  std::optional<int> readSome(std::chrono::milliseconds patience) {
    std::array<epoll_event, 256> events;
    const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()),
                               static_cast<int>(patience.count()));
    if (n <= 0) return std::nullopt;
    int messages = 0;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      messages += static_cast<Listener*>(events[i].data.ptr)->read();
    }
    return messages;
  }

 private:
  int epoll_;
  std::list<Listener> listeners_;
};

TEST_P(Chat, AThousandGetEveryMessageInEachSendersOrder) {
  constexpr std::size_t kClients = 1000;
  constexpr int kMessages = kSanitized ? 5 : 20;  // Of each sender.
  if (!allowDescriptors(kClients + 100)) GTEST_SKIP() << "the descriptor limit is too low";
  ChatServerProcess server(with());
  Listeners listeners(server.port(), kClients);
  std::list<Listener>& all = listeners.all();

  // Who has heard a probe takes part. Few are needed: the next is sent when all is quiet.
  const auto allTakePart = [&] {
    return std::all_of(all.begin(), all.end(), [](const Listener& l) { return l.hasHeardProbe; });
  };
  ASSERT_TRUE(eventually([&] {
    all.front().client.sendMessage("probe");
    while (!allTakePart() && listeners.readSome(200ms)) continue;
    return allTakePart();
  }));

  for (int number = 0; number < kMessages; ++number) {
    auto sender = all.begin();
    for (std::size_t i = 0; i < Listener::kSenders; ++i, ++sender) {
      sender->client.sendMessage(std::to_string(i) + " " + std::to_string(number));
    }
    listeners.readSome(0ms);
  }
  const auto isDone = [](const Listener& listener) {
    return std::all_of(listener.messagesOf.begin(), listener.messagesOf.end(),
                       [](int count) { return count == kMessages; });
  };
  while (!std::all_of(all.begin(), all.end(), isDone)) {
    ASSERT_TRUE(listeners.readSome(kPatience)) << "no more comes, and some have not got all";
  }
}

/// Two that chat, and a third that does what it should not.
class Offence : public ::testing::Test {
 protected:
  void expectUndisturbed() {
    ASSERT_EQ(a_.ask("is all well?"), "is all well?");
    ASSERT_EQ(b_.receiveMessage(), "is all well?");
  }

  /// `bytes` end the connection that they come from, the log says `reason`, and nobody gets them.
  void expectCutOff(const std::string& bytes, const std::string& reason) {
    CheckedClient offender(server_.port());
    offender.send(bytes);
    ASSERT_TRUE(offender.isCutOff());
    EXPECT_TRUE(eventually([&] { return server_.hasLogged(reason); }))
        << "the log does not say \"" << reason << '"';
    expectUndisturbed();
  }

  ChatServerProcess server_;
  CheckedClient a_ = join(server_, "a is here");
  CheckedClient b_ = join(server_, "b is here", {&a_});
};

TEST_F(Offence, LengthThatLiesIsCutOff) {
  for (const std::uint32_t length : {0U, 65537U, 0x7fffffffU, 0xffffffffU}) {
    SCOPED_TRACE(length);
    expectCutOff(bigEndian(length) + "and something after it", "length");
  }
}

TEST_F(Offence, WrongChecksumIsCutOff) {
  std::string bytes = checkedFrame("some payload");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  expectCutOff(bytes, "checksum");
}

TEST_F(Offence, ResetInMidMessageHurtsNobody) {
  const std::size_t before = server_.openDescriptors();
  for (int i = 0; i < 50; ++i) {
    CheckedClient offender(server_.port());
    offender.send(checkedFrame("never complete").substr(0, 9));
    offender.reset();
  }
  expectUndisturbed();
  EXPECT_TRUE(eventually([&] { return server_.openDescriptors() == before; }));
}

TEST_F(Offence, FloodOfMessagesAndAResetHurtsNobody) {
  for (int i = 0; i < 20; ++i) {
    CheckedClient offender(server_.port());
    std::string flood;
    for (int k = 0; k < 20; ++k) flood += checkedFrame("flood");
    offender.send(flood);
    offender.reset();
  }
  // What of it had been read before the reset may have gone round.
  a_.sendMessage("is all well?");
  receiveUntil(a_, "is all well?");
  receiveUntil(b_, "is all well?");
}

TEST(ChatLimits, HoldTheNumberOfConnections) {
  ChatServerProcess server({"--max-connections", "2"});
  CheckedClient a = join(server, "a is here");
  {
    CheckedClient b = join(server, "b is here", {&a});
    CheckedClient tooMany(server.port());
    EXPECT_TRUE(tooMany.isCutOff());
    EXPECT_TRUE(eventually([&] { return server.hasLogged("too many connections"); }));
    EXPECT_EQ(b.ask("still there?"), "still there?");
  }
  EXPECT_TRUE(eventually([&] {
    try {
      join(server, "c is here", {&a});
      return true;
    } catch (const std::exception&) {
      return false;  // b has not quite left yet.
    }
  }));
}

TEST(ChatLimits, HoldTheSizeOfAFrame) {
  ChatServerProcess server({"--max-frame", "100"});
  CheckedClient client(server.port());
  EXPECT_EQ(client.ask(std::string(100, 'x')), std::string(100, 'x'));
  client.sendMessage(std::string(101, 'x'));
  EXPECT_TRUE(client.isCutOff());
}

TEST(ChatLimits, EndASilentClient) {
  ChatServerProcess server({"-t", "1"});
  CheckedClient silent(server.port());
  EXPECT_TRUE(silent.isCutOff());
  EXPECT_TRUE(eventually([&] { return server.hasLogged("idle"); }));
}

TEST(ChatServer, SpeaksPlainFramesWithoutChecksums) {
  ChatServerProcess server({"--checksum", "none"});
  FramedClient a(server.port());
  FramedClient b(server.port());
  ASSERT_EQ(a.ask("a is here"), "a is here");
  b.sendMessage("b is here");
  while (b.receiveMessage() != "b is here") continue;
  EXPECT_EQ(a.receiveMessage(), "b is here");
}

TEST(ChatServer, FlushesOnceATurnOrWithEachMessage) {
  constexpr int kClients = 10;
  constexpr int kMessages = 50;
  for (const bool eachMessage : {false, true}) {
    SCOPED_TRACE(eachMessage ? "message" : "turn");
    ChatServerProcess server({"-i", "0", "--flush", eachMessage ? "message" : "turn"});
    std::vector<CheckedClient> clients;
    for (int i = 0; i < kClients; ++i) {
      clients.push_back(join(server, "client " + std::to_string(i)));
    }
    std::optional<SystemCallCounter> sends;
    try {
      sends.emplace(server.pid(), SYS_sendto);
    } catch (const std::system_error& error) {
      GTEST_SKIP() << error.what();
    }
    std::string frames;
    for (int i = 0; i < kMessages; ++i) frames += checkedFrame("message " + std::to_string(i));
    clients.front().send(frames);
    const std::string last = "message " + std::to_string(kMessages - 1);
    for (CheckedClient& client : clients) receiveUntil(client, last);
    const int count = sends->stop();
    if (eachMessage) {
      EXPECT_GE(count, kClients * kMessages);
    } else {
      // A turn may see only some of the messages, the more turns the busier the machine.
      EXPECT_LE(count, kClients * kMessages / 2);
    }
  }
}

TEST(ChatServer, ServesInOneThreadToo) {
  ChatServerProcess server({"-i", "0"});
  CheckedClient a = join(server, "a is here");
  CheckedClient b = join(server, "b is here", {&a});
}

TEST(ChatServer, EndsAtOnceOnASignal) {
  for (const int number : {SIGTERM, SIGINT}) {
    ChatServerProcess server;
    CheckedClient client = join(server, "I am here");
    server.signal(number);
    EXPECT_EQ(client.receiveUntilEof(), "");
    client.close();
    EXPECT_EQ(server.waitForExit(kSanitized ? 10s : 2s), 0);
  }
}

class ChatClientProcess : public ChildProcess {
 public:
  ChatClientProcess(const std::string& host, std::uint16_t port, const std::string& name)
      : ChildProcess(CHAT_CLIENT_PATH, {host, std::to_string(port), "--name", name}) {}

  bool showsLine(const std::string& line) const {
    return ("\n" + output()).find("\n" + line + "\n") != std::string::npos;
  }
};

TEST(ChatClient, ShowsWhatEveryoneSays) {
  ChatServerProcess server;
  ChatClientProcess alice("127.0.0.1", server.port(), "alice");
  ChatClientProcess bob("127.0.0.1", server.port(), "bob");
  // What is said before the other one is in does not reach him: say it until he is.
  EXPECT_TRUE(eventually([&] {
    alice.write("anyone here?\n");
    return bob.showsLine("alice: anyone here?");
  }));
  bob.write("I am\nand I type two lines\n");
  EXPECT_TRUE(eventually([&] { return alice.showsLine("bob: and I type two lines"); }));
  EXPECT_TRUE(alice.showsLine("bob: I am"));
  EXPECT_TRUE(eventually([&] { return bob.showsLine("bob: and I type two lines"); }));
}

TEST(ChatClient, SendsAllOfItsInputBeforeItEnds) {
  ChatServerProcess server;
  CheckedClient listener = join(server, "I listen");
  ChatClientProcess alice("127.0.0.1", server.port(), "alice");
  for (int i = 0; i < 100; ++i) alice.write("line " + std::to_string(i) + "\n");
  alice.closeInput();
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(listener.receiveMessage(), "alice: line " + std::to_string(i));
  }
  EXPECT_EQ(alice.waitForExit(), 0);
}

/// Binds a socket to `address`, lets go of it and returns whether that worked.
template <typename Address>
bool canBind(const Address& address) {
  const auto* generic = reinterpret_cast<const sockaddr*>(&address);
  const int probe = ::socket(generic->sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool bound = probe >= 0 && ::bind(probe, generic, sizeof address) == 0;
  if (probe >= 0) ::close(probe);
  return bound;
}

/// A free port below those that the kernel gives to clients, so that nobody takes it while its
/// server is away.
std::uint16_t portToComeBackTo() {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (int i = 0; i < 1000; ++i) {
    const auto port = static_cast<std::uint16_t>(20'000 + (::getpid() + i) % 10'000);
    address.sin_port = htons(port);
    if (canBind(address)) return port;
  }
  throw std::runtime_error("no free port");
}

TEST(ChatClient, ConnectsAgainWhenTheServerComesBack) {
  const std::string port = std::to_string(portToComeBackTo());
  ServerProcess first(CHAT_SERVER_PATH, {port});
  ChatClientProcess alice("127.0.0.1", first.port(), "alice");
  ASSERT_TRUE(eventually([&] {
    alice.write("hello\n");
    return alice.showsLine("alice: hello");
  }));
  first.terminate();
  EXPECT_EQ(first.waitForExit(), 0);

  ServerProcess second(CHAT_SERVER_PATH, {port});
  CheckedClient bob(second.port());
  ASSERT_TRUE(eventually([&] {
    enter(bob, "is alice back?");
    return alice.showsLine("is alice back?");
  }));
  alice.write("yes\n");
  receiveUntil(bob, "alice: yes");
}

TEST(ChatClient, WaitsForAServerThatIsNotThereYet) {
  const std::uint16_t port = portToComeBackTo();
  ChatClientProcess alice("127.0.0.1", port, "alice");
  ASSERT_TRUE(eventually([&] { return !alice.errors().empty(); })) << "it says nothing";
  ServerProcess server(CHAT_SERVER_PATH, {std::to_string(port)});
  EXPECT_TRUE(eventually([&] {
    alice.write("hello\n");
    return alice.showsLine("alice: hello");
  }));
}

TEST(ChatClient, FindsAServerOnIpv6) {
  sockaddr_in6 loopback{};
  loopback.sin6_family = AF_INET6;
  loopback.sin6_addr = IN6ADDR_LOOPBACK_INIT;
  if (!canBind(loopback)) GTEST_SKIP() << "no IPv6 here";

  ChatServerProcess server({"-a", "::1"});
  EXPECT_EQ(server.address(), "[::1]");
  ChatClientProcess alice("::1", server.port(), "alice");
  EXPECT_TRUE(eventually([&] {
    alice.write("hello\n");
    return alice.showsLine("alice: hello");
  }));
}

TEST(ChatLoad, MeasuresDeliveryTimes) {
  ChatServerProcess server;
  ChildProcess load(CHAT_LOAD_PATH,
                    {"127.0.0.1", std::to_string(server.port()), "--clients", "50", "--senders",
                     "5", "--messages", "20", "--size", "64", "--rate", "1000"});
  EXPECT_EQ(load.waitForExit(3 * kPatience), 0);
  const std::string said = load.output();
  EXPECT_NE(said.find("50"), std::string::npos) << said;
  EXPECT_NE(said.find("99"), std::string::npos) << said;
  EXPECT_NE(said.find("5000"), std::string::npos) << "5 * 20 messages to 50 clients: " << said;
}

TEST(ChatLoad, FailsWhenTheServerGoesAway) {
  ChatServerProcess server;
  ChildProcess load(CHAT_LOAD_PATH,
                    {"127.0.0.1", std::to_string(server.port()), "--clients", "10", "--senders",
                     "1", "--messages", "1000000", "--size", "64", "--rate", "100"});
  ASSERT_TRUE(eventually([&] { return server.openDescriptors() > 20; }));
  server.signal(SIGKILL);
  EXPECT_NE(load.waitForExit(), 0);
  EXPECT_NE(load.errors(), "");
}

/// What stands behind `"name": ` in a JSON object; a number.
double valueOf(const std::string& json, const std::string& name) {
  const std::string key = '"' + name + "\": ";
  const std::size_t at = json.find(key);
  if (at == std::string::npos) throw std::runtime_error("no " + name + " in " + json);
  return std::stod(json.substr(at + key.size()));
}

TEST(ChatLoad, SendsForSomeTimeAndPrintsJson) {
  ChatServerProcess server;
  const auto start = std::chrono::steady_clock::now();
  ChildProcess load(CHAT_LOAD_PATH,
                    {"127.0.0.1", std::to_string(server.port()), "--clients", "20", "--senders",
                     "4", "--rate", "0", "--duration", "0.5", "--ramp-up", "0.3", "--json"});
  EXPECT_EQ(load.waitForExit(3 * kPatience), 0);
  EXPECT_GE(std::chrono::steady_clock::now() - start, 750ms);
  const std::string said = load.output();
  EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
  EXPECT_GT(valueOf(said, "messages"), 4) << said;
  EXPECT_EQ(valueOf(said, "delivered"), 20 * valueOf(said, "messages")) << said;
  for (const char* none : {"lost", "duplicated", "disordered"}) {
    EXPECT_EQ(valueOf(said, none), 0) << said;
  }
  EXPECT_GT(valueOf(said.substr(said.find("delivery_ms")), "p50"), 0) << said;
  EXPECT_GT(valueOf(said.substr(said.find("first_to_last_ms")), "p50"), 0) << said;
}

/// A chat server for one client, that does something wrong with its fifth message.
class BadChatServer {
 public:
  enum class Fault { kLosesIt, kRepeatsIt, kSendsItLate };

  explicit BadChatServer(Fault fault)
      : fault_(fault), listener_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_, 1) != 0 ||
        ::getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size) != 0) {
      throw std::runtime_error("cannot listen");
    }
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { serve(); });
  }

  ~BadChatServer() {
    ::shutdown(listener_, SHUT_RDWR);
    thread_.join();
    ::close(listener_);
  }

  std::uint16_t port() const { return port_; }

 private:
  void serve() const {
    const int client = ::accept(listener_, nullptr, nullptr);
    std::string input;
    std::string kept;
    int messages = 0;
    char bytes[4096];
    for (ssize_t n; (n = ::recv(client, bytes, sizeof bytes, 0)) > 0;) {
      input.append(bytes, static_cast<std::size_t>(n));
      std::string output;
      while (input.size() >= 4) {
        std::uint32_t length = 0;
        input.copy(reinterpret_cast<char*>(&length), sizeof length);
        const std::size_t whole = 4 + ntohl(length);
        if (input.size() < whole) break;
        const std::string frame = input.substr(0, whole);
        input.erase(0, whole);
        // Probes do not count: their sender, behind length and magic number, is ~0.
        const bool probe = frame.substr(8, 4) == "\xff\xff\xff\xff";
        const bool fifth = !probe && ++messages == 5;
        if (!fifth || fault_ == Fault::kRepeatsIt) output += frame;
        if (fifth && fault_ == Fault::kRepeatsIt) output += frame;
        if (fifth && fault_ == Fault::kSendsItLate) kept = frame;
        if (messages == 7) output += std::exchange(kept, "");
      }
      ::send(client, output.data(), output.size(), MSG_NOSIGNAL);
    }
    ::close(client);
  }

  const Fault fault_;
  const int listener_;
  std::uint16_t port_ = 0;
  std::thread thread_;
};

TEST(ChatLoad, NoticesWhatIsLostRepeatedOrOvertaken) {
  using Fault = BadChatServer::Fault;
  for (const auto& [fault, name] :
       {std::pair(Fault::kLosesIt, "lost"), std::pair(Fault::kRepeatsIt, "duplicated"),
        std::pair(Fault::kSendsItLate, "disordered")}) {
    SCOPED_TRACE(name);
    BadChatServer server(fault);
    ChildProcess load(CHAT_LOAD_PATH, {"127.0.0.1", std::to_string(server.port()), "--clients", "1",
                                       "--senders", "1", "--messages", "20", "--rate", "500",
                                       "--timeout", "1", "--checksum", "none", "--json"});
    EXPECT_NE(load.waitForExit(), 0);
    const std::string said = load.output();
    for (const char* each : {"lost", "duplicated", "disordered"}) {
      EXPECT_EQ(valueOf(said, each), each == std::string_view(name) ? 1 : 0) << said;
    }
  }
}

using CommandLines = std::vector<std::vector<std::string>>;

void expectRefused(const std::string& program, const CommandLines& commandLines) {
  for (const std::vector<std::string>& arguments : commandLines) {
    SCOPED_TRACE(program + " " + ::testing::PrintToString(arguments));
    refusal(program, arguments);
  }
}

TEST(ChatCommandLine, OfTheServerIsRefusedWhenItMakesNoSense) {
  expectRefused(CHAT_SERVER_PATH, {{"nonsense"},
                                   {"65536"},
                                   {"0", "0"},
                                   {"0", "--no-such-option"},
                                   {"0", "-a", "no-such-host.invalid"},
                                   {"0", "-i", "-1"},
                                   {"0", "-i", "two"},
                                   {"0", "-t", "soon"},
                                   {"0", "--checksum", "md5"},
                                   {"0", "--max-frame", "0"},
                                   {"0", "--max-connections", "many"},
                                   {"0", "--backlog", "-1"},
                                   {"0", "--broadcast", "loudly"}});
}

TEST(ChatCommandLine, OfTheServerIsRefusedWhenThePortIsBusy) {
  ChatServerProcess server;
  const std::string said = refusal(CHAT_SERVER_PATH, {std::to_string(server.port())});
  EXPECT_NE(said.find("Address already in use"), std::string::npos) << said;
}

TEST(ChatCommandLine, OfTheClientIsRefusedWhenItMakesNoSense) {
  expectRefused(CHAT_CLIENT_PATH, {{"127.0.0.1", "nonsense"},
                                   {"127.0.0.1", "65536"},
                                   {"127.0.0.1", "9877", "more"},
                                   {"no-such-host.invalid", "9877"},
                                   {"--no-such-option"}});
}

TEST(ChatCommandLine, OfTheLoadGeneratorIsRefusedWhenItMakesNoSense) {
  expectRefused(CHAT_LOAD_PATH, {{"127.0.0.1", "nonsense"},
                                 {"127.0.0.1", "9877", "--clients", "none"},
                                 {"127.0.0.1", "9877", "--clients", "-1"},
                                 {"127.0.0.1", "9877", "--clients", "1", "--senders", "2"},
                                 {"127.0.0.1", "9877", "--size", "0"},
                                 {"no-such-host.invalid", "9877"},
                                 {"--no-such-option"}});
}

TEST(ChatCommandLine, OfEachIsExplained) {
  for (const char* program : {CHAT_SERVER_PATH, CHAT_CLIENT_PATH, CHAT_LOAD_PATH}) {
    ChildProcess process(program, {"--help"});
    EXPECT_EQ(process.waitForExit(), 0);
    EXPECT_NE(process.output().find("--help"), std::string::npos) << process.output();
    EXPECT_EQ(process.errors(), "");
  }
}

}  // namespace
}  // namespace reactor::testing
