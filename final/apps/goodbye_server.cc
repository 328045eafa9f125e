#include <CLI/CLI.hpp>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <iostream>
#include <string_view>
#include <utility>

#include "net/event_loop.h"
#include "net/inet_address.h"
#include "net/signal_watcher.h"
#include "program.h"
#include "protocol/protocol_server.h"

namespace reactor {

namespace {

/// Sends back what comes. Says good-bye, and closes, when nothing has come for some time.
class PoliteEcho : public Protocol {
 public:
  explicit PoliteEcho(std::chrono::milliseconds silence) : silence_(silence) {}

 private:
  void connectionMade() override { waitForWords(); }

  void dataReceived(std::string_view bytes) override {
    write(bytes);
    cancel(goodbye_);
    waitForWords();
  }

  void waitForWords() {
    goodbye_ = callLater(silence_, [this] {
      write("good-bye\n");
      close();
    });
  }

  const std::chrono::milliseconds silence_;
  TimerId goodbye_;
};

void serve(const InetAddress& address, const TcpServer::Options& options,
           std::chrono::milliseconds silence) {
  EventLoop loop;
  ProtocolServer<PoliteEcho>* running = nullptr;
  const SignalWatcher signals(loop, {SIGINT, SIGTERM}, [&](int) {
    if (running == nullptr) return loop.quit();
    std::exchange(running, nullptr)->stop(std::chrono::seconds(1), [&loop] { loop.quit(); });
  });
  ProtocolServer<PoliteEcho> server(loop, address, options, silence);
  server.start();
  running = &server;
  std::cout << "listening on " << server.address().toString() << std::endl;
  loop.loop();
}

}  // namespace
}  // namespace reactor

int main(int argc, char** argv) {
  using namespace reactor;
  CLI::App app(
      "Sends back what each client sends, byte for byte, and says good-bye to one that\n"
      "has been silent for too long. An example of a server made from a Protocol.",
      "goodbye_server");
  uint16_t port = 9877;
  double silentSeconds = 10;
  TcpServer::Options options;
  options.ioThreads = 2;
  options.loopChoice = TcpServer::LoopChoice::kFewestConnections;
  app.add_option("port", port, "Port to listen on, on 127.0.0.1; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  app.add_option("-s,--silence", silentSeconds, "Seconds of silence before the good-bye")
      ->check(CLI::Range(0.001, 1e6))
      ->capture_default_str();
  app.add_option("-i,--io-threads", options.ioThreads, "I/O threads; 0: one loop does everything")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  return runProgram(app, argc, argv, [&] {
    serve(InetAddress::resolve("127.0.0.1", port), options,
          std::chrono::duration_cast<std::chrono::milliseconds>(
              std::chrono::duration<double>(silentSeconds)));
    return 0;
  });
}
