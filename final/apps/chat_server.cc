#include "chat/chat_server.h"

#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <utility>

#include "net/event_loop.h"
#include "net/inet_address.h"
#include "net/signal_watcher.h"
#include "program.h"
#include "server_log.h"

namespace reactor {

namespace {

struct CommandLine {
  std::string address = "127.0.0.1";
  uint16_t port = 9877;  // SERV_PORT of Stevens, "UNIX Network Programming".
  double idleSeconds = 600;
  size_t maxFrame = LengthCodec::kDefaultMaxPayload;
  Checksum checksum = Checksum::kCrc32;
  ChatServer::Options server;
};

void addOptions(CLI::App& app, CommandLine& line) {
  constexpr size_t kMaxFrame = 64 << 20;
  ChatServer::Options& server = line.server;
  app.add_option("port", line.port, "Port to listen on; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("-a,--address", line.address, "Address to listen on; 0.0.0.0 or ::: all")
      ->capture_default_str();
  app.add_option("-i,--io-threads", server.tcp.ioThreads,
                 "I/O threads, each with an event loop of its own; 0: one loop does everything")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  app.add_option("-t,--idle", line.idleSeconds,
                 "Seconds of silence after which a client is dropped; 0: never")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--max-frame", line.maxFrame, "Longest payload in bytes")
      ->check(CLI::Range(size_t{1}, kMaxFrame))
      ->capture_default_str();
  app.add_option("--max-connections", server.tcp.maxConnections, "Clients at the same time")
      ->check(CLI::Range(size_t{1}, size_t{10'000'000}))
      ->default_str("unlimited");
  addChecksumOption(app, line.checksum);
  app.add_option("--backlog", server.tcp.limits.backlog,
                 "Bytes that may wait for a client that does not read; more: it is dropped")
      ->check(CLI::Range(size_t{1024}, size_t{1} << 30))
      ->capture_default_str();
  addChoice(app, "--broadcast", server.strategy,
            {{"lock", BroadcastStrategy::kLock},
             {"cow", BroadcastStrategy::kCopyOnWrite},
             {"per-loop", BroadcastStrategy::kPerLoop}},
            "How threads share the set of clients: under one mutex, copy-on-write, or\n"
            "each loop its own");
  addChoice(app, "--flush", server.flush, {{"turn", Flush::kTurn}, {"message", Flush::kMessage}},
            "What was sent to a client leaves once a turn, or a write for each message");
}

// Until SIGINT or SIGTERM: then it stops accepting, sends what waits, and closes. A second signal
// ends it at once.
void serve(const InetAddress& address, const ChatServer::Options& options) {
  constexpr std::chrono::seconds kGrace{1};
  EventLoop loop;
  ChatServer* running = nullptr;
  const SignalWatcher signals(loop, {SIGINT, SIGTERM}, [&](int) {
    if (running == nullptr) return loop.quit();
    std::exchange(running, nullptr)->stop(kGrace, [&loop] { loop.quit(); });
  });
  std::optional<ChatServer> server;
  try {
    server.emplace(loop, address, options);
    server->setConnectionCallback(logClosed);
    server->setErrorCallback(RefusalLog());
    server->start();
  } catch (const std::system_error& error) {
    throw std::runtime_error("cannot listen on " + address.toString() + ": " + error.what());
  }
  running = &*server;
  std::cout << "listening on " << server->address().toString() << std::endl;
  loop.loop();
}

}  // namespace
}  // namespace reactor

int main(int argc, char** argv) {
  using namespace reactor;
  CLI::App app(
      "Passes every message on to all clients, its sender included. A message is its\n"
      "length, 4 bytes, big-endian, its bytes, and their CRC-32; without the checksum,\n"
      "clients of muduo's chat example are at home here.",
      "chat_server");
  CommandLine line;
  line.server.tcp.ioThreads = 2;
  line.server.tcp.limits.backlog = 1 << 20;
  addOptions(app, line);
  return runProgram(app, argc, argv, [&] {
    logToStandardError();
    line.server.tcp.idleTimeout = std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(line.idleSeconds));
    line.server.codec = LengthCodec(line.maxFrame, line.checksum);
    serve(InetAddress::resolve(line.address, line.port), line.server);
    return 0;
  });
}
