#pragma once

#include <functional>
#include <memory>

#include "chat/broadcaster.h"
#include "codec/length_codec.h"
#include "net/tcp_server.h"

namespace reactor {

/// Passes every message on to everyone, its sender included.
///
/// A client that breaks the framing or does not read is closed with a reason; nobody else notices.
/// Used in the thread of its loop.
class ChatServer {
 public:
  /// What may be chosen; the defaults are for a start.
  struct Options {
    TcpServer::Options tcp;                                    ///< Threads and limits.
    LengthCodec codec;                                         ///< What a frame is.
    BroadcastStrategy strategy = BroadcastStrategy::kPerLoop;  ///< How a message finds all clients.
    Flush flush = Flush::kTurn;                                ///< When it leaves.
  };

  /// Binds to `address`; throws std::system_error. `loop` must outlive the server.
  ChatServer(EventLoop& loop, const InetAddress& address, const Options& options);

  /// A connection came or went (connected() tells which); before start(), called in its loop.
  void setConnectionCallback(ConnectionCallback callback) {
    connectionCallback_ = std::move(callback);
  }
  /// A peer was turned away; before start(), called in the base loop.
  void setErrorCallback(std::function<void(std::error_code)> callback);

  /// Begins to listen.
  void start();
  /// See TcpServer::stop().
  void stop(Clock::duration grace, std::function<void()> done);
  /// Where it listens: the port that it was given, if it asked for any.
  const InetAddress& address() const { return server_.address(); }
  /// See TcpServer::connectionCount().
  size_t connectionCount() const { return server_.connectionCount(); }

 private:
  void handleConnection(Connection& connection);
  void handleMessages(Connection& connection, Buffer& input);

  const LengthCodec codec_;
  const BroadcastStrategy strategy_;
  const Flush flush_;
  ConnectionCallback connectionCallback_ = [](Connection&) {};
  std::unique_ptr<Broadcaster> broadcaster_;  ///< Made by start(), which knows the loops.
  TcpServer server_;
};

}  // namespace reactor
