#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>

#include "codec/length_codec.h"
#include "net/tcp_server.h"
#include "net/thread_pool.h"

namespace reactor {

/// Answers every message with itself, in the order in which they came.
///
/// A message `burn MILLISECONDS` (at most 10,000) is an expensive request: it costs that much
/// computing before it is answered.
/// Workers do that, if there are any, so that it delays no other client; further messages of the
/// same client wait until it is answered.
///
/// Used in the thread of its loop.
class EchoServer {
 public:
  /// What may be chosen; the defaults are for a start.
  struct Options {
    TcpServer::Options tcp;  ///< Threads and limits.
    size_t workers = 0;      ///< 0: the connection's loop does the computing.
  };

  /// Binds to `address`; throws std::system_error. `loop` must outlive the server.
  EchoServer(EventLoop& loop, const InetAddress& address, const Options& options);

  /// See TcpServer::start().
  void start() { server_.start(); }
  /// See TcpServer::stop().
  void stop(std::function<void()> done);
  /// Where it listens: the port that it was given, if it asked for any.
  const InetAddress& address() const { return server_.address(); }

 private:
  void handleMessages(Connection& connection, Buffer& input);
  bool answerAll(Connection& connection, Buffer& input);
  void answerLater(Connection& connection, std::string request, std::chrono::milliseconds cost);

  const LengthCodec codec_;
  TcpServer server_;
  std::optional<ThreadPool> workers_;  ///< Behind server_: joined before the loops end.
};

}  // namespace reactor
