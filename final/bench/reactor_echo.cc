// The same byte echo on the library of this course, one loop, no framing.

#include "net/tcp_server.h"
#include "program.h"

namespace {

using namespace reactor;

void serve(uint16_t port) {
  EventLoop loop;
  TcpServer server(loop, InetAddress::resolve("127.0.0.1", port), {});
  server.setMessageCallback([](Connection& connection, Buffer& input) {
    connection.send(input.peek());
    input.retrieveAll();
  });
  server.start();
  bench::announce(server.address().port());
  loop.loop();
}

}  // namespace

int main(int argc, char** argv) {
  return reactor::bench::runEchoServer("reactor_echo", "Echo server on this course's library.",
                                       argc, argv, serve);
}
