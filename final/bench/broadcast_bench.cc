// How many messages a second a chat server hands to its clients, and how long it takes from the
// first to the last: four ways to broadcast and two to flush, beside a bare epoll loop.

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "broadcast_load.h"
#include "comparison.h"
#include "environment.h"
#include "frame.h"
#include "program.h"
#include "programs.h"
#include "progress.h"

namespace {

using namespace reactor::bench;

constexpr size_t kDescriptorsBesideClients = 100;

struct Options {
  RoundOptions rounds;
  std::vector<size_t> clients{100, 1000, 4000};
  std::vector<size_t> senders{1, 10};
  std::vector<std::string> ioThreads{"1", "2"};
  std::vector<std::string> broadcast{"lock", "cow", "per-loop"};
  std::vector<std::string> flush{"message", "turn"};
  size_t messageSize = 64;
  size_t visitors = 20;
};

std::vector<Contestant> contestants(const Options& options) {
  std::vector<Contestant> result;
  const std::string bare = benchProgram("bare_broadcast");
  for (const char* flush : {"message", "turn"}) {
    result.push_back({std::string("bare ") + flush, {bare, "0", "--flush", flush}});
  }
  for (const std::string& threads : options.ioThreads) {
    for (const std::string& broadcast : options.broadcast) {
      for (const std::string& flush : options.flush) {
        result.push_back(
            chatServer(broadcast + ' ' + flush + ' ' + threads, threads, broadcast, flush));
      }
    }
  }
  return onlyBuilt(result);
}

std::string titleOf(const BroadcastLoad::Shape& shape) {
  return std::to_string(shape.senders) + (shape.senders == 1 ? " sender to " : " senders to ") +
         std::to_string(shape.clients) + " clients";
}

void run(Options& options) {
  std::vector<BroadcastLoad::Shape> shapes;
  for (const size_t clients : options.clients) {
    ensureDescriptors(clients + options.visitors + kDescriptorsBesideClients);
    for (const size_t senders : options.senders) {
      if (senders > clients) throw std::runtime_error("more senders than clients");
      shapes.push_back({clients, senders, options.messageSize, options.visitors});
    }
  }
  const std::vector<Contestant> servers = contestants(options);

  options.rounds.pinClient();
  std::vector<Comparison> comparisons;
  {
    Progress progress;
    for (const BroadcastLoad::Shape& shape : shapes) {
      comparisons.emplace_back(titleOf(shape), "deliveries", servers,
                               std::vector<std::string>{"bare message"});
      comparisons.back().run(
          options.rounds,
          [&shape](uint16_t port) { return std::make_unique<BroadcastLoad>(port, shape); },
          progress);
    }
  }
  std::cout << "Broadcast of " << options.messageSize << " B messages, while " << options.visitors
            << " clients come and go, one every 2 ms: " << options.rounds.describe()
            << "\nchat_server: how it broadcasts, how it flushes, I/O threads\n";
  for (const Comparison& comparison : comparisons) {
    std::cout << "\n";
    comparison.print(std::cout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Messages a second to the clients of a chat server, and the time from the first to\n"
      "the last receiver: each way to broadcast and to flush, and a bare epoll loop.",
      "broadcast_bench");
  Options options;
  options.rounds.rounds = 3;
  options.rounds.seconds = 1;
  options.rounds.warmUpSeconds = 0.3;
  options.rounds.pin = false;  // A server with two threads would have one core for both.
  options.rounds.addTo(app);
  app.add_option("--clients", options.clients, "Clients, all of which receive; several times")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--senders", options.senders, "Senders among them; several times")
      ->check(CLI::Range(size_t{1}, BroadcastLoad::kMaxSenders))
      ->capture_default_str();
  app.add_option("--io-threads", options.ioThreads, "I/O threads of chat_server; several times")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  app.add_option("--broadcast", options.broadcast, "Ways to broadcast; several times")
      ->check(CLI::IsMember({"lock", "cow", "per-loop"}))
      ->capture_default_str();
  app.add_option("--flush", options.flush, "Ways to flush; several times")
      ->check(CLI::IsMember({"message", "turn"}))
      ->capture_default_str();
  app.add_option("--visitors", options.visitors, "Clients that come and go meanwhile; 0: none")
      ->check(CLI::Range(0, 1000))
      ->capture_default_str();
  app.add_option("--size", options.messageSize, "Bytes of a message, header included")
      ->check(CLI::Range(kHeaderSize + 1, size_t{16 * 1024}))
      ->capture_default_str();
  return runProgram(app, argc, argv, [&] {
    catchInterrupts();
    run(options);
  });
}
