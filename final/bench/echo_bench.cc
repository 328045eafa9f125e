// How many round trips a second an echo server makes, beside a bare epoll loop and other libraries.

#include <CLI/CLI.hpp>
#include <algorithm>
#include <charconv>
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "comparison.h"
#include "echo_load.h"
#include "environment.h"
#include "frame.h"
#include "program.h"
#include "programs.h"
#include "progress.h"

namespace {

using namespace reactor::bench;

constexpr const char* kBaseline = "bare_epoll_echo";
constexpr size_t kDescriptorsBesideClients = 50;

struct Shape {
  size_t clients;
  size_t messageSize;
};

// From CLIENTSxBYTES.
Shape parseShape(const std::string& text) {
  Shape shape{};
  const char* const end = text.data() + text.size();
  const auto clients = std::from_chars(text.data(), end, shape.clients);
  const bool separated = clients.ec == std::errc() && clients.ptr != end && *clients.ptr == 'x';
  const auto size = std::from_chars(separated ? clients.ptr + 1 : end, end, shape.messageSize);
  if (size.ec != std::errc() || size.ptr != end || shape.clients < 1 || shape.clients > 100'000 ||
      shape.messageSize <= kHeaderSize || shape.messageSize > 64 * 1024) {
    throw std::runtime_error("--shape " + text +
                             ": expected CLIENTSxBYTES, such as 100x64, with 5 to 65536 bytes");
  }
  return shape;
}

std::vector<Contestant> chosenServers(std::vector<std::string> names) {
  // Without it there is nothing to compare with.
  if (!names.empty() && std::find(names.begin(), names.end(), kBaseline) == names.end()) {
    names.insert(names.begin(), kBaseline);
  }
  return onlyBuilt(onlyNamed(echoServers(), names));
}

void run(RoundOptions& options, const std::vector<std::string>& shapeTexts,
         const std::vector<std::string>& serverNames) {
  std::vector<Shape> shapes;
  for (const std::string& text : shapeTexts) {
    shapes.push_back(parseShape(text));
    ensureDescriptors(shapes.back().clients + kDescriptorsBesideClients);
  }
  const std::vector<Contestant> servers = chosenServers(serverNames);

  options.pinClient();
  std::vector<Comparison> comparisons;
  {
    Progress progress;
    for (const Shape& shape : shapes) {
      comparisons.emplace_back(
          std::to_string(shape.clients) + " clients x " + std::to_string(shape.messageSize) + " B",
          "round trips", servers, std::vector<std::string>{kBaseline});
      comparisons.back().run(
          options,
          [&shape](uint16_t port) {
            return std::make_unique<EchoLoad>(port, shape.clients, shape.messageSize);
          },
          progress);
    }
  }
  std::cout << "Echo: " << options.describe() << "\n";
  for (const Comparison& comparison : comparisons) {
    std::cout << "\n";
    comparison.print(std::cout);
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Echo round trips a second: this library, other libraries, a bare epoll loop.",
               "echo_bench");
  RoundOptions options;
  std::vector<std::string> shapes{"100x64", "100x4096", "1000x1024"};
  std::vector<std::string> servers;
  options.addTo(app);
  app.add_option("--shape", shapes, "CLIENTSxBYTES; may be given several times")
      ->capture_default_str();
  app.add_option("--server", servers, "Only this one and the bare loop; several times for several");
  return runProgram(app, argc, argv, [&] {
    catchInterrupts();
    run(options, shapes, servers);
  });
}
