#include "echo/echo_server.h"

#include "server_program.h"

int main(int argc, char** argv) {
  CLI::App app(
      "Answers every message with itself. A message is its length, 4 bytes, big-endian,\n"
      "and its bytes; `burn MILLISECONDS` costs that much computing first.",
      "echo_server");
  reactor::ServerOptions options;
  options.tcp.ioThreads = 2;
  size_t workers = 2;
  reactor::addServerOptions(app, options);
  app.add_option("-w,--workers", workers,
                 "Threads for expensive requests; 0: they delay other clients")
      ->check(CLI::Range(0, 256))
      ->capture_default_str();
  return reactor::runProgram(app, argc, argv, [&] {
    return reactor::serve<reactor::EchoServer>(
        options, {reactor::tcpOptionsOf(options), workers, reactor::codecOf(options)});
  });
}
