// An echo server on standalone Asio, as its users write one: a session for each client that keeps
// itself alive through its handlers.

#include <array>
#include <asio.hpp>
#include <memory>
#include <utility>

#include "program.h"

namespace {

using namespace reactor::bench;
using asio::ip::tcp;

class Session : public std::enable_shared_from_this<Session> {
 public:
  explicit Session(tcp::socket socket) : socket_(std::move(socket)) {}

  void read() {
    socket_.async_read_some(asio::buffer(buffer_), [self = shared_from_this()](
                                                       const asio::error_code& error, size_t size) {
      if (!error) self->write(size);
    });
  }

 private:
  void write(size_t size) {
    asio::async_write(
        socket_, asio::buffer(buffer_.data(), size),
        [self = shared_from_this()](const asio::error_code& error, size_t /*written*/) {
          if (!error) self->read();
        });
  }

  tcp::socket socket_;
  // Pages of it that are never written to take no memory.
  std::array<char, 64 * 1024> buffer_;
};

void acceptNext(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](const asio::error_code& error, tcp::socket socket) {
    if (!error) {
      asio::error_code ignored;
      socket.set_option(tcp::no_delay(true), ignored);
      // By new, not by make_shared, which would fill the buffer with zeros.
      std::shared_ptr<Session>(new Session(std::move(socket)))->read();
    }
    acceptNext(acceptor);
  });
}

void serve(uint16_t port) {
  constexpr int kOneThread = 1;
  asio::io_context context(kOneThread);
  tcp::acceptor acceptor(context, {asio::ip::address_v4::loopback(), port});
  acceptNext(acceptor);
  announce(acceptor.local_endpoint().port());
  context.run();
}

}  // namespace

int main(int argc, char** argv) {
  return runEchoServer("asio_echo", "Echo server on standalone Asio.", argc, argv, serve);
}
