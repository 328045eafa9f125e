#include "chat/chat_server.h"

#include "server_program.h"

int main(int argc, char** argv) {
  using reactor::BroadcastStrategy;
  CLI::App app(
      "Passes every message on to all clients, its sender included. A message is its\n"
      "length, 4 bytes, big-endian, its bytes, and their CRC-32; without the checksum,\n"
      "clients of muduo's chat example are at home here.",
      "chat_server");
  reactor::ServerOptions options;
  options.tcp.ioThreads = 2;
  options.tcp.limits.backlog = 1 << 20;
  options.idleSeconds = 600;
  options.checksum = reactor::Checksum::kCrc32;
  auto strategy = BroadcastStrategy::kPerLoop;
  reactor::addServerOptions(app, options);
  app.add_option("--backlog", options.tcp.limits.backlog,
                 "Bytes that may wait for a client that does not read; more: it is dropped")
      ->check(CLI::Range(size_t{1024}, size_t{1} << 30))
      ->capture_default_str();
  reactor::addChoice(app, "--broadcast", strategy,
                     {{"lock", BroadcastStrategy::kLock},
                      {"cow", BroadcastStrategy::kCopyOnWrite},
                      {"per-loop", BroadcastStrategy::kPerLoop}},
                     "How threads share the set of clients: under one mutex, copy-on-write, or\n"
                     "each loop its own");
  return reactor::runProgram(app, argc, argv, [&] {
    return reactor::serve<reactor::ChatServer>(
        options, {reactor::tcpOptionsOf(options), reactor::codecOf(options), strategy});
  });
}
