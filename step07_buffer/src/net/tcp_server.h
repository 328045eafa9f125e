#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <system_error>
#include <unordered_map>

#include "net/acceptor.h"
#include "net/callbacks.h"
#include "net/connection.h"
#include "net/event_loop.h"

namespace reactor {

/// A TCP server: accepts connections, owns them, and lets go of them when they go down.
///
/// Destruction closes all connections without telling anyone.
/// It must not happen in one of the callbacks.
class TcpServer {
 public:
  /// Binds at once, so that errors show early: throws std::system_error, "bind" if the port is
  /// busy. Accepts after start(). `base` must outlive the server.
  TcpServer(EventLoop& base, const InetAddress& address);
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  /// All callbacks are set before start().
  void setConnectionCallback(ConnectionCallback callback);
  /// Called when bytes have come.
  void setMessageCallback(MessageCallback callback);

  /// A peer was turned away, since no descriptor was left.
  void setErrorCallback(std::function<void(std::error_code)> callback);

  /// Begins to listen.
  void start();

  /// What it listens on, with the true port.
  const InetAddress& address() const { return acceptor_.address(); }

  /// Connections there are now.
  size_t connectionCount() const { return connections_.size(); }

 private:
  void accept(Socket socket, const InetAddress& peer);
  void remove(const Connection& connection);

  EventLoop& base_;
  Acceptor acceptor_;
  ConnectionCallbacks callbacks_;
  std::shared_ptr<const ConnectionCallbacks> sharedCallbacks_;  ///< A copy, from start() on.
  std::function<void(std::error_code)> errorCallback_ = [](std::error_code) {};
  std::unordered_map<uint64_t, std::shared_ptr<Connection>> connections_;  ///< By id.
};

}  // namespace reactor
