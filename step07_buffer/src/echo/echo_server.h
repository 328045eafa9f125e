#pragma once

#include "codec/length_codec.h"
#include "net/tcp_server.h"

namespace reactor {

/// Answers every message with itself, in the order in which they came.
///
/// A message `burn MILLISECONDS` (at most 10,000) is an expensive request: it costs that much
/// computing before it is answered.
///
/// Used in the thread of its loop.
class EchoServer {
 public:
  /// Binds to `address`; throws std::system_error. `loop` must outlive the server.
  EchoServer(EventLoop& loop, const InetAddress& address);

  /// See TcpServer::start().
  void start() { server_.start(); }
  /// Where it listens: the port that it was given, if it asked for any.
  const InetAddress& address() const { return server_.address(); }

 private:
  void handleMessages(Connection& connection, Buffer& input);

  const LengthCodec codec_;
  TcpServer server_;
};

}  // namespace reactor
