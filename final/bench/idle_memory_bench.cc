// What an idle connection costs a server: its memory with and without many of them.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "child_server.h"
#include "environment.h"
#include "frame.h"
#include "program.h"
#include "programs.h"
#include "progress.h"
#include "sockets.h"
#include "table.h"

namespace {

using namespace reactor::bench;

constexpr const char* kChatServer = "chat_server";
constexpr size_t kDescriptorsBesideClients = 50;
constexpr size_t kMessageSize = 64;
// Connections are made in waves, so that none waits in the server's backlog for long.
constexpr size_t kWave = 500;
// Longer than a server needs to fall asleep after its last message.
constexpr std::chrono::milliseconds kSettleTime{300};

enum class Reply { kToSender, kToAll };

struct Memory {
  size_t before;  // Bytes.
  size_t after;
};

// Clients that have all received a message and are now silent.
class IdleClients {
 public:
  IdleClients(uint16_t port, Reply reply) : port_(port), reply_(reply) {}

  void add(size_t count) {
    const size_t first = sockets_.size();
    for (size_t i = 0; i < count; ++i) sockets_.push_back(connectToLoopback(port_, first + i));
    if (reply_ == Reply::kToSender) {
      for (size_t i = first; i < sockets_.size(); ++i) sendAll(sockets_[i], message_);
      for (size_t i = first; i < sockets_.size(); ++i) receive(sockets_[i]);
    } else {
      // The last one sends: a server that has read its message has accepted all the others.
      sendAll(sockets_.back(), message_);
      for (const FileDescriptor& socket : sockets_) receive(socket);
    }
  }

 private:
  void receive(const FileDescriptor& socket) const {
    std::string received(message_.size(), '\0');
    receiveAll(socket, received);
    if (received != message_) throw std::runtime_error("something else came back than was sent");
  }

  const uint16_t port_;
  const Reply reply_;
  const std::string message_ = makeFrame(kMessageSize);
  std::vector<FileDescriptor> sockets_;
};

Memory measure(const Contestant& contestant, Reply reply, size_t connections) {
  const ChildServer server(contestant.command, std::nullopt);
  IdleClients clients(server.port(), reply);
  // What a server sets up with its first clients is not the price of the later ones.
  clients.add(kWave);
  std::this_thread::sleep_for(kSettleTime);
  Memory memory{.before = server.privateMemory(), .after = 0};
  for (size_t made = 0; made < connections; made += kWave) {
    clients.add(std::min(kWave, connections - made));
  }
  std::this_thread::sleep_for(kSettleTime);
  memory.after = server.privateMemory();
  return memory;
}

std::vector<std::string> row(const std::string& name, const Memory& memory, size_t connections) {
  const auto before = static_cast<double>(memory.before);
  const auto after = static_cast<double>(memory.after);
  return {name, withThousands(before / 1024), withThousands(after / 1024),
          withDecimals((after - before) / 1024 / static_cast<double>(connections), 2)};
}

void run(size_t connections, const std::vector<std::string>& serverNames) {
  ensureDescriptors(connections + kWave + kDescriptorsBesideClients);
  std::vector<Contestant> all = echoServers();
  all.push_back(chatServer(kChatServer, "0", "per-loop", "turn"));
  Table table(
      {std::to_string(connections) + " idle connections", "KiB before", "KiB after", "KiB each"});
  {
    Progress progress;
    for (const Contestant& contestant : onlyBuilt(onlyNamed(all, serverNames))) {
      progress.begin(contestant.name);
      const Reply reply = contestant.name == kChatServer ? Reply::kToAll : Reply::kToSender;
      try {
        auto cells = row(contestant.name, measure(contestant, reply, connections), connections);
        progress.end(contestant.name + ": " + cells.back() + " KiB each");
        table.addRow(std::move(cells));
      } catch (const Interrupted&) {
        throw;
      } catch (const std::exception& error) {
        throwIfInterrupted();  // Ctrl-C ends the server as well: that is not its fault.
        throw std::runtime_error(contestant.name + ": " + error.what());
      }
    }
  }
  std::cout << "Private memory of a server; " << kWave << " connections are there before\n\n";
  table.print(std::cout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Memory that an idle connection costs a server.", "idle_memory_bench");
  size_t connections = 10'000;
  std::vector<std::string> servers;
  app.add_option("--connections", connections, "Idle connections")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();
  app.add_option("--server", servers, "Only this server; several times for several");
  return runProgram(app, argc, argv, [&] {
    catchInterrupts();
    run(connections, servers);
  });
}
