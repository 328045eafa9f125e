#pragma once

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <string>
#include <system_error>

#include "net/event_loop.h"
#include "net/net_error.h"
#include "net/signal_watcher.h"
#include "net/tcp_server.h"
#include "program.h"

namespace reactor {

/// What all servers let the user choose.
struct ServerOptions {
  uint16_t port = 9877;  // SERV_PORT of Stevens, "UNIX Network Programming".
  std::string address = "127.0.0.1";
  double idleSeconds = 0;
  Checksum checksum = Checksum::kNone;
  size_t maxFrame = LengthCodec::kDefaultMaxPayload;
  TcpServer::Options tcp;
};

inline void addServerOptions(CLI::App& app, ServerOptions& options) {
  constexpr size_t kMaxFrame = 64 << 20;
  app.add_option("port", options.port, "Port to listen on; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("-a,--address", options.address, "Address to listen on; 0.0.0.0 or ::: all")
      ->capture_default_str();
  app.add_option("-i,--io-threads", options.tcp.ioThreads,
                 "I/O threads, each with an event loop of its own; 0: one loop does everything")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  app.add_option("-t,--idle", options.idleSeconds,
                 "Seconds of silence after which a client is dropped; 0: never")
      ->check(CLI::Range(0.0, 1e6))
      ->capture_default_str();
  app.add_option("--max-frame", options.maxFrame, "Longest payload in bytes")
      ->check(CLI::Range(size_t{1}, kMaxFrame))
      ->capture_default_str();
  app.add_option("--max-connections", options.tcp.maxConnections, "Clients at the same time")
      ->check(CLI::Range(size_t{1}, size_t{10'000'000}))
      ->default_str("unlimited");
  addChecksumOption(app, options.checksum);
}

inline LengthCodec codecOf(const ServerOptions& options) {
  return LengthCodec(options.maxFrame, options.checksum);
}

inline TcpServer::Options tcpOptionsOf(const ServerOptions& options) {
  TcpServer::Options tcp = options.tcp;
  tcp.idleTimeout = std::chrono::duration_cast<Clock::duration>(
      std::chrono::duration<double>(options.idleSeconds));
  return tcp;
}

/// Says why a connection ended, if it was not in good order.
inline void logClosed(const Connection& connection) {
  if (connection.connected() || !connection.closeReason()) return;
  spdlog::warn("connection {} ({}) closed: {}", connection.id(), connection.peer().toString(),
               connection.closeReason().message());
}

/// Says why peers are turned away, at most once a second: they may come in thousands.
class RefusalLog {
 public:
  void operator()(std::error_code error) {
    ++refused_;
    if (Clock::now() < quietUntil_) return;
    quietUntil_ = Clock::now() + std::chrono::seconds(1);
    spdlog::warn("connection refused: {} ({} so far)", error.message(), refused_);
  }

 private:
  uint64_t refused_ = 0;
  Clock::time_point quietUntil_;
};

/// Runs `Server`, an EchoServer or a ChatServer, until SIGINT or SIGTERM: then it stops accepting,
/// sends what waits, closes and returns 0. A second signal ends it at once.
template <typename Server>
int serve(const ServerOptions& options, const typename Server::Options& serverOptions) {
  constexpr std::chrono::seconds kGrace{1};
  spdlog::set_default_logger(spdlog::stderr_color_mt("server"));
  spdlog::set_pattern("%Y-%m-%d %H:%M:%S.%e %l: %v");

  EventLoop loop;
  Server* running = nullptr;
  const SignalWatcher signals(loop, {SIGINT, SIGTERM}, [&](int) {
    if (running == nullptr) return loop.quit();
    std::exchange(running, nullptr)->stop(kGrace, [&loop] { loop.quit(); });
  });
  const InetAddress address = InetAddress::resolve(options.address, options.port);
  try {
    Server server(loop, address, serverOptions);
    server.setConnectionCallback(logClosed);
    server.setErrorCallback(RefusalLog());
    server.start();
    running = &server;
    std::cout << "listening on " << server.address().toString() << std::endl;
    loop.loop();
  } catch (const std::system_error& error) {
    throw std::runtime_error("cannot listen on " + address.toString() + ": " + error.what());
  }
  return 0;
}

}  // namespace reactor
