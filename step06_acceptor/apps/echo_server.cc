// Sends back to each client what it sends.

#include <cstdint>
#include <exception>
#include <iostream>
#include <string_view>

#include "net/event_loop.h"
#include "net/inet_address.h"
#include "net/tcp_server.h"

namespace reactor {

namespace {

constexpr uint16_t kDefaultPort = 9877;  // SERV_PORT of Stevens, "UNIX Network Programming".

}  // namespace
}  // namespace reactor

int main(int argc, char** argv) {
  using namespace reactor;
  if (argc > 2) {
    std::cerr << "usage: echo_server [PORT]\n";
    return 2;
  }
  try {
    const uint16_t port = argc > 1 ? parsePort(argv[1]) : kDefaultPort;
    EventLoop loop;
    TcpServer server(loop, InetAddress::resolve("127.0.0.1", port));
    server.setMessageCallback(
        [](Connection& connection, std::string_view bytes) { connection.send(bytes); });
    server.start();
    std::cout << "listening on " << server.address().toString() << std::endl;
    loop.loop();
  } catch (const std::exception& error) {
    std::cerr << "echo_server: " << error.what() << '\n';
    return 1;
  }
}
