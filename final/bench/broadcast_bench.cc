// How many messages a second a chat server hands to its clients, beside a bare epoll loop.

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

constexpr size_t kDescriptorsBesideClients = 50;

std::vector<Contestant> contestants() {
  const std::string bare = benchProgram("bare_broadcast");
  return onlyBuilt({{"bare message", {bare, "0", "--flush", "message"}},
                    {"bare turn", {bare, "0", "--flush", "turn"}},
                    chatServer()});
}

std::string titleOf(const BroadcastLoad::Shape& shape) {
  return std::to_string(shape.senders) + (shape.senders == 1 ? " sender to " : " senders to ") +
         std::to_string(shape.clients) + " clients";
}

void run(RoundOptions& options, const BroadcastLoad::Shape& commonShape,
         const std::vector<size_t>& senderCounts) {
  ensureDescriptors(commonShape.clients + kDescriptorsBesideClients);
  for (const size_t senders : senderCounts) {
    if (senders > commonShape.clients) throw std::runtime_error("more senders than clients");
  }
  const std::vector<Contestant> servers = contestants();

  options.pinClient();
  std::vector<Comparison> comparisons;
  {
    Progress progress;
    for (const size_t senders : senderCounts) {
      BroadcastLoad::Shape shape = commonShape;
      shape.senders = senders;
      comparisons.emplace_back(titleOf(shape), "deliveries", servers,
                               std::vector<std::string>{"bare message", "bare turn"});
      comparisons.back().run(
          options, [&shape](uint16_t port) { return std::make_unique<BroadcastLoad>(port, shape); },
          progress);
    }
  }
  std::cout << "Broadcast of " << commonShape.messageSize << " B messages: " << options.describe()
            << "\n";
  for (const Comparison& comparison : comparisons) {
    std::cout << "\n";
    comparison.print(std::cout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Messages a second to the clients of a chat server: ours, and a bare epoll loop.",
               "broadcast_bench");
  RoundOptions options;
  BroadcastLoad::Shape shape;
  std::vector<size_t> senders{1, 10};
  options.addTo(app);
  app.add_option("--clients", shape.clients, "Clients, all of which receive")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  app.add_option("--senders", senders, "Senders among them; may be given several times")
      ->check(CLI::Range(size_t{1}, BroadcastLoad::kMaxSenders))
      ->capture_default_str();
  app.add_option("--size", shape.messageSize, "Bytes of a message, header included")
      ->check(CLI::Range(kHeaderSize + 1, size_t{16 * 1024}))
      ->capture_default_str();
  return runProgram(app, argc, argv, [&] {
    catchInterrupts();
    run(options, shape, senders);
  });
}
