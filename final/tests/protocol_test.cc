// The Twisted-style face, and the mistakes that its model was known for: a conversation mistaken
// for another, and timers that did not fire by themselves.

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <functional>
#include <future>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "framed_client.h"
#include "net/net_error.h"
#include "protocol/protocol_server.h"
#include "waiting.h"

namespace reactor {
namespace {

using namespace std::chrono_literals;
using testing::eventually;
using testing::FramedClient;

const InetAddress kAnyPort = InetAddress::parse("127.0.0.1:0");

/// What protocols have seen, from any thread, in order.
class Notes {
 public:
  void add(const std::string& note) {
    const std::lock_guard lock(mutex_);
    notes_.push_back(note);
  }
  std::vector<std::string> all() const {
    const std::lock_guard lock(mutex_);
    return notes_;
  }
  bool have(const std::string& note) const {
    const auto notes = all();
    return std::find(notes.begin(), notes.end(), note) != notes.end();
  }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> notes_;
};

/// Whether `thread` of this process sleeps: proc(5), stat.
bool isAsleep(pid_t thread) {
  std::ifstream file("/proc/self/task/" + std::to_string(thread) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const std::size_t name = stat.rfind(')');
  return name != std::string::npos && stat.substr(name, 3) == ") S";
}

/// What a protocol of these tests does, beyond taking notes.
struct Script {
  Notes notes;
  std::function<void(Protocol&)> made = [](Protocol&) {};
  std::function<void(Protocol&, std::string_view)> received = [](Protocol&, std::string_view) {};
  std::function<void(Protocol&)> lost = [](Protocol&) {};
};

class Actor : public Protocol {
 public:
  explicit Actor(Script* script) : script_(*script) {}
  ~Actor() override { script_.notes.add("destroyed"); }

 private:
  void connectionMade() override {
    script_.notes.add("made");
    script_.made(*this);
  }
  void dataReceived(std::string_view bytes) override {
    script_.notes.add("received " + std::string(bytes));
    script_.received(*this, bytes);
  }
  void connectionLost(std::error_code reason) override {
    script_.notes.add("lost" + (reason ? ": " + reason.message() : ""));
    script_.lost(*this);
  }

  Script& script_;
};

/// A server of Actors, its base loop in a thread of its own; the test is the clients.
class ProtocolTest : public ::testing::Test {
 protected:
  ~ProtocolTest() override { end(); }

  void serve(TcpServer::Options options = {}) {
    std::promise<void> ready;
    thread_ = std::thread([&] {
      EventLoop loop;
      ProtocolServer<Actor> server(loop, kAnyPort, options, &script_);
      server.start();
      loop_ = &loop;
      server_ = &server;
      port_ = server.address().port();
      ready.set_value();
      loop.loop();
    });
    ready.get_future().wait();
  }

  /// Destroys the server, whoever is connected.
  void end() {
    if (!thread_.joinable()) return;
    loop_->quit();
    thread_.join();
  }

  bool noted(const std::string& note) {
    return eventually([&] { return script_.notes.have(note); });
  }

  Script script_;
  std::thread thread_;
  EventLoop* loop_ = nullptr;
  ProtocolServer<Actor>* server_ = nullptr;
  std::uint16_t port_ = 0;
};

TEST_F(ProtocolTest, IsToldOfABeginningOfBytesAndOfAnEnd) {
  script_.received = [](Protocol& self, std::string_view bytes) { self.write(bytes); };
  serve();
  {
    FramedClient client(port_);
    client.send("hello");
    EXPECT_EQ(client.receive(5), "hello");
    client.send("again");
    EXPECT_EQ(client.receive(5), "again");
  }
  ASSERT_TRUE(noted("destroyed"));
  EXPECT_EQ(script_.notes.all(), (std::vector<std::string>{"made", "received hello",
                                                           "received again", "lost", "destroyed"}));
}

TEST_F(ProtocolTest, IsToldWhyItsConnectionWasLost) {
  serve();
  FramedClient client(port_);
  ASSERT_TRUE(noted("made"));
  client.reset();
  EXPECT_TRUE(noted("lost: " + std::make_error_code(std::errc::connection_reset).message()));
}

TEST_F(ProtocolTest, ClosesWhenAllIsOut) {
  const std::string much(4 * 1024 * 1024, 'x');
  script_.made = [&](Protocol& self) {
    self.write(much);
    self.close();
  };
  serve();
  FramedClient client(port_);
  EXPECT_TRUE(client.receiveUntilEof() == much);
  client.close();
  EXPECT_TRUE(noted("lost"));
}

TEST_F(ProtocolTest, CallsLaterOnceAndNotEarly) {
  const auto start = Clock::now();
  script_.made = [this, start](Protocol& self) {
    self.callLater(30ms, [this, start] {
      EXPECT_GE(Clock::now() - start, 30ms);
      script_.notes.add("called");
    });
    self.callLater(60ms, [this] { script_.notes.add("called last"); });
  };
  serve();
  FramedClient client(port_);
  ASSERT_TRUE(noted("called last"));
  EXPECT_EQ(script_.notes.all(), (std::vector<std::string>{"made", "called", "called last"}));
}

TEST_F(ProtocolTest, DoesNotCallWhatWasCancelled) {
  script_.made = [this](Protocol& self) {
    const TimerId first = self.callLater(10ms, [this] { script_.notes.add("called"); });
    self.cancel(first);
    self.cancel(first);
    self.callLater(40ms, [this] { script_.notes.add("called last"); });
  };
  serve();
  FramedClient client(port_);
  ASSERT_TRUE(noted("called last"));
  EXPECT_FALSE(script_.notes.have("called"));
}

TEST_F(ProtocolTest, CannotCancelWhatIsAnothers) {
  std::optional<TimerId> first;
  script_.made = [&](Protocol& self) {
    if (first) {
      self.cancel(*first);
    } else {
      first = self.callLater(50ms, [this] { script_.notes.add("called"); });
    }
  };
  serve();
  FramedClient one(port_);
  ASSERT_TRUE(noted("made"));
  FramedClient other(port_);
  EXPECT_TRUE(noted("called"));
}

TEST_F(ProtocolTest, TimersGoWithTheirConnection) {
  script_.made = [this](Protocol& self) {
    self.callLater(50ms, [this] { script_.notes.add("called"); });
  };
  script_.lost = [this](Protocol& self) {
    self.callLater(1ms, [this] { script_.notes.add("called after its end"); });
  };
  serve();
  { const FramedClient client(port_); }
  ASSERT_TRUE(noted("destroyed"));
  FramedClient stays(port_);  // Its timer comes after all those.
  EXPECT_TRUE(noted("called"));
  EXPECT_EQ(script_.notes.all(),
            (std::vector<std::string>{"made", "lost", "destroyed", "made", "called"}));
}

TEST_F(ProtocolTest, NothingIsCalledAfterItsEnd) {
  Protocol* conversation = nullptr;
  std::optional<Protocol::Handle> handle;
  script_.made = [&](Protocol& self) {
    conversation = &self;
    handle = self.handle();
  };
  serve();
  FramedClient client(port_);
  ASSERT_TRUE(noted("made"));
  // While the loop is busy, the client leaves, a task is posted, and then a timer's time comes. All
  // three are there in the loop's next turn, the end first.
  std::promise<void> busy;
  std::promise<void> left;
  loop_->queueInLoop([&] {
    busy.set_value();
    left.get_future().wait();
    const auto due = Clock::now() + 1ms;
    conversation->callLater(1ms, [this] { script_.notes.add("called"); });
    while (Clock::now() < due + 1ms) continue;
  });
  busy.get_future().wait();
  client.close();
  handle->post([this](Protocol&) { script_.notes.add("posted"); });
  left.set_value();
  ASSERT_TRUE(noted("destroyed"));
  EXPECT_EQ(script_.notes.all(), (std::vector<std::string>{"made", "lost", "destroyed"}));
}

TEST_F(ProtocolTest, TimersGoWithAServerThatIsDestroyedWhileItsLoopGoesOn) {
  EventLoop loop;
  std::optional<ProtocolServer<Actor>> server(std::in_place, loop, kAnyPort, TcpServer::Options{},
                                              &script_);
  script_.made = [&](Protocol& self) {
    self.callLater(1ms, [this] { script_.notes.add("called"); });
    loop.queueInLoop([&] { server.reset(); });
    loop.runAfter(20ms, [&] { loop.quit(); });
  };
  server->start();
  const FramedClient client(server->address().port());
  loop.loop();
  EXPECT_EQ(script_.notes.all(), (std::vector<std::string>{"made", "destroyed"}));
}

TEST_F(ProtocolTest, MayCloseInEachOfItsFunctionsAndInItsTimer) {
  script_.made = [](Protocol& self) { self.callLater(1ms, [&self] { self.close(); }); };
  script_.received = [](Protocol& self, std::string_view) { self.close(); };
  script_.lost = [](Protocol& self) { self.close(); };
  serve();
  FramedClient silent(port_);
  EXPECT_EQ(silent.receiveUntilEof(), "");
  silent.close();
  FramedClient talks(port_);
  talks.send("x");
  EXPECT_EQ(talks.receiveUntilEof(), "");
}

TEST_F(ProtocolTest, ServerMayEndWithConversationsAndTimersPending) {
  script_.made = [this](Protocol& self) {
    self.callLater(10s, [this] { script_.notes.add("called"); });
  };
  serve({2});
  std::list<FramedClient> clients;
  for (int i = 0; i < 8; ++i) clients.emplace_back(port_);
  ASSERT_TRUE(eventually([&] { return script_.notes.all().size() == 8; }));
  end();
  for (FramedClient& client : clients) EXPECT_TRUE(client.isCutOff());
  EXPECT_FALSE(script_.notes.have("lost"));
}

// "Index taken for identity", "fd taken for identity": a leaves, b comes and gets a's place in
// every table and a's descriptor. What was meant for a must not reach b.
TEST_F(ProtocolTest, WhatIsMeantForOneThatHasLeftDoesNotReachTheOneInItsPlace) {
  std::optional<Protocol::Handle> a;
  std::set<std::uint64_t> ids;
  script_.made = [&](Protocol& self) {
    ids.insert(self.id());
    if (!a) a = self.handle();
  };
  script_.received = [](Protocol& self, std::string_view bytes) { self.write(bytes); };
  serve();
  FramedClient first(port_);
  ASSERT_TRUE(noted("made"));
  const int descriptor = first.fd();
  first.close();
  ASSERT_TRUE(noted("destroyed"));

  FramedClient second(port_);
  EXPECT_EQ(second.fd(), descriptor) << "not in its place";
  ASSERT_TRUE(eventually([&] { return script_.notes.all().size() == 4; }));
  a->post([](Protocol& self) { self.write("for a"); });
  std::promise<void> done;
  loop_->queueInLoop([&] { done.set_value(); });
  done.get_future().wait();
  EXPECT_EQ(ids.size(), 2U) << "two conversations had the same id";
  second.send("for b");  // What comes back would stand behind what was meant for a.
  EXPECT_EQ(second.receive(5), "for b");
}

// "A timer set from another thread that does not fire until something else happens".
TEST_F(ProtocolTest, TimerSetFromAnotherThreadFiresByItself) {
  std::promise<std::pair<Protocol::Handle, pid_t>> made;
  script_.made = [&](Protocol& self) { made.set_value({self.handle(), ::gettid()}); };
  serve({1});
  FramedClient client(port_);
  const auto [handle, thread] = made.get_future().get();
  ASSERT_TRUE(eventually([thread = thread] { return isAsleep(thread); }));
  // Nothing will happen any more, unless it is the timer.
  handle.post([](Protocol& self) { self.callLater(20ms, [&self] { self.write("time!"); }); });
  EXPECT_EQ(client.receive(5), "time!");
}

TEST_F(ProtocolTest, GoesToTheLoopWithTheFewestConnections) {
  std::mutex mutex;
  std::map<std::uint64_t, std::thread::id> threads;
  script_.made = [&](Protocol& self) {
    const std::lock_guard lock(mutex);
    threads[self.id()] = std::this_thread::get_id();
    self.write(std::to_string(self.id()) + "\n");
  };
  TcpServer::Options options{2};
  options.loopChoice = TcpServer::LoopChoice::kFewestConnections;
  serve(options);
  std::list<FramedClient> clients;
  const auto connect = [&] {
    FramedClient& client = clients.emplace_back(port_);
    std::string line;
    while (line.empty() || line.back() != '\n') line += client.receive(1);
    const std::lock_guard lock(mutex);
    return threads.at(std::stoull(line));
  };
  std::vector<std::thread::id> of;
  for (int i = 0; i < 6; ++i) of.push_back(connect());

  // All that are in the first one's loop leave.
  auto client = clients.begin();
  for (std::size_t i = 0; i < 6; ++i) client = of[i] == of[0] ? clients.erase(client) : ++client;
  EXPECT_EQ(clients.size(), 3U);
  ASSERT_TRUE(eventually([&] { return server_->connectionCount() == 3; }));
  for (int i = 0; i < 3; ++i) EXPECT_EQ(connect(), of[0]) << "newcomer " << i;
}

}  // namespace
}  // namespace reactor
