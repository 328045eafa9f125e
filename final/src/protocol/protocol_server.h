#pragma once

#include <functional>
#include <memory>
#include <type_traits>
#include <utility>

#include "net/tcp_server.h"
#include "protocol/protocol.h"

namespace reactor {

/// What all ProtocolServers have in common. Used in the thread of its loop.
class ProtocolServerBase {
 public:
  /// Makes the protocol of a new connection, in its loop.
  using Factory = std::function<std::unique_ptr<Protocol>()>;

  /// Binds to `address`; throws std::system_error. `makeProtocol` is called for each connection, in
  /// its loop's thread. `loop` must outlive the server.
  ProtocolServerBase(EventLoop& loop, const InetAddress& address, TcpServer::Options options,
                     Factory makeProtocol);

  /// See TcpServer::start().
  void start() { server_.start(); }
  /// See TcpServer::stop().
  void stop(Clock::duration grace, std::function<void()> done) {
    server_.stop(grace, std::move(done));
  }
  /// Where it listens: the port that it was given, if it asked for any.
  const InetAddress& address() const { return server_.address(); }
  /// See TcpServer::connectionCount().
  size_t connectionCount() const { return server_.connectionCount(); }

 private:
  void handleConnection(Connection& connection);

  const Factory makeProtocol_;
  TcpServer server_;
};

/// A server that holds each conversation with a `Conversation` of its own, which is a Protocol.
///
///     class Echo : public Protocol {
///       void dataReceived(std::string_view bytes) override { write(bytes); }
///     };
///     ProtocolServer<Echo> server(loop, address, {});
///     server.start();
template <typename Conversation>
class ProtocolServer : public ProtocolServerBase {
 public:
  /// Each is made by the default constructor, or with copies of `arguments`.
  template <typename... Arguments>
  ProtocolServer(EventLoop& loop, const InetAddress& address, TcpServer::Options options,
                 Arguments... arguments)
      : ProtocolServerBase(loop, address, options, [arguments...] {
          return std::make_unique<Conversation>(arguments...);
        }) {
    static_assert(std::is_base_of_v<Protocol, Conversation>);
  }
};

}  // namespace reactor
