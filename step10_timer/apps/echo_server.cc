// Sends back to each client what it sends. A message is its length, 4 bytes, big-endian, and its
// bytes.

#include "echo/echo_server.h"

#include <unistd.h>

#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "net/event_loop.h"
#include "net/inet_address.h"
#include "net/signal_watcher.h"

namespace reactor {

namespace {

using std::chrono::seconds;

constexpr uint16_t kDefaultPort = 9877;  // SERV_PORT of Stevens, "UNIX Network Programming".

constexpr size_t kMaxThreads = 256;
constexpr size_t kMaxIdle = 1'000'000;  // Seconds.
constexpr seconds kGrace{1};            // For clients to leave when the server stops.

// A whole number, 0 to `most`, from text.
size_t parseNumber(std::string_view text, size_t most) {
  size_t number = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number);
  if (error != std::errc() || stop != end || number > most) {
    throw std::invalid_argument("not a number: '" + std::string(text) + "' (expected 0 to " +
                                std::to_string(most) + ")");
  }
  return number;
}

// False if the command line is not understood.
bool parseOptions(int argc, char** argv, EchoServer::Options& options) {
  opterr = 0;  // The usage says it all.
  for (int option; (option = ::getopt(argc, argv, "i:t:w:")) != -1;) {
    if (option == '?') return false;
    if (option == 'i') options.tcp.ioThreads = parseNumber(optarg, kMaxThreads);
    if (option == 't') options.tcp.idleTimeout = seconds(parseNumber(optarg, kMaxIdle));
    if (option == 'w') options.workers = parseNumber(optarg, kMaxThreads);
  }
  return argc - optind <= 1;
}

}  // namespace
}  // namespace reactor

int main(int argc, char** argv) {
  using namespace reactor;
  try {
    EchoServer::Options options{{2}, 2};
    if (!parseOptions(argc, argv, options)) {
      std::cerr << "usage: echo_server [-i IO_THREADS] [-t IDLE_SECONDS] [-w WORKERS] [PORT]\n";
      return 2;
    }
    const uint16_t port = optind < argc ? parsePort(argv[optind]) : kDefaultPort;
    EventLoop loop;
    EchoServer* running = nullptr;
    const SignalWatcher signals(loop, {SIGINT, SIGTERM}, [&](int) {
      if (running == nullptr) return loop.quit();  // The second one: at once.
      std::exchange(running, nullptr)->stop(kGrace, [&loop] { loop.quit(); });
    });
    EchoServer server(loop, InetAddress::resolve("127.0.0.1", port), options);
    server.start();
    running = &server;
    std::cout << "listening on " << server.address().toString() << std::endl;
    loop.loop();
  } catch (const std::exception& error) {
    std::cerr << "echo_server: " << error.what() << '\n';
    return 1;
  }
}
