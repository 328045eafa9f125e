// Messages a second through the echo servers of steps 07 to 10 and of final, from clients that send
// without waiting: what each step brought.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "child_server.h"
#include "environment.h"
#include "flood_load.h"
#include "frame.h"
#include "program.h"
#include "programs.h"
#include "progress.h"
#include "stats.h"
#include "table.h"

namespace {

using namespace reactor::bench;

constexpr size_t kDescriptorsBesideClients = 50;

struct Options {
  unsigned rounds = 3;
  std::vector<size_t> clients{50, 10};
  size_t messages = 100'000;
  size_t messageSize = 64;
  std::string ioThreads = "2";
};

double messagesPerSecond(const Contestant& server, const Options& options, size_t clients) {
  const ChildServer child(server.command, std::nullopt);
  FloodLoad load(child.port(), clients, options.messages, options.messageSize);
  return static_cast<double>(clients * options.messages) / load.run().count();
}

void run(const Options& options) {
  for (const size_t clients : options.clients) {
    ensureDescriptors(clients + kDescriptorsBesideClients);
  }
  const std::vector<Contestant> servers = stepServers(options.ioThreads);
  std::map<size_t, std::map<std::string, std::vector<double>>> rates;
  {
    Progress progress;
    for (unsigned round = 0; round < options.rounds; ++round) {
      auto order = servers;
      std::rotate(order.begin(), order.begin() + round % order.size(), order.end());
      for (const size_t clients : options.clients) {
        for (const Contestant& server : order) {
          const std::string what = std::to_string(clients) + " clients, round " +
                                   std::to_string(round + 1) + " of " +
                                   std::to_string(options.rounds) + ", " + server.name;
          progress.begin(what);
          const double rate = messagesPerSecond(server, options, clients);
          rates[clients][server.name].push_back(rate);
          progress.end(what + ": " + withThousands(rate) + " messages/s");
        }
      }
    }
  }
  std::cout << "Each client sends " << options.messages << " frames of " << options.messageSize
            << " B and reads as many; medians of " << options.rounds << " rounds; from step 08 on "
            << options.ioThreads << " I/O threads\n\n";
  std::vector<std::string> header{"messages/s"};
  for (const size_t clients : options.clients) {
    header.push_back(std::to_string(clients) + " clients");
    header.push_back("least..most");
  }
  Table table(std::move(header));
  for (const Contestant& server : servers) {
    std::vector<std::string> row{server.name};
    for (const size_t clients : options.clients) {
      const Summary rate = summarize(rates.at(clients).at(server.name));
      row.push_back(withThousands(rate.median));
      row.push_back(withThousands(rate.least) + ".." + withThousands(rate.most));
    }
    table.addRow(std::move(row));
  }
  table.print(std::cout);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "Messages a second through the echo servers of steps 07 to 10 and of final, from\n"
      "clients that send without waiting.",
      "flood_bench");
  Options options;
  app.add_option("--rounds", options.rounds, "Rounds; every server takes part in each")
      ->check(CLI::Range(1U, 1000U))
      ->capture_default_str();
  app.add_option("--clients", options.clients, "Clients; may be given several times")
      ->check(CLI::Range(size_t{1}, size_t{10'000}))
      ->capture_default_str();
  app.add_option("--messages", options.messages, "Frames from each client")
      ->check(CLI::Range(size_t{1}, size_t{100'000'000}))
      ->capture_default_str();
  app.add_option("--size", options.messageSize, "Bytes of a frame, header included")
      ->check(CLI::Range(kHeaderSize + 1, size_t{64 * 1024}))
      ->capture_default_str();
  app.add_option("--io-threads", options.ioThreads, "I/O threads of the servers that have them")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  return runProgram(app, argc, argv, [&] {
    catchInterrupts();
    run(options);
  });
}
