#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <system_error>
#include <unordered_map>
#include <vector>

#include "net/acceptor.h"
#include "net/callbacks.h"
#include "net/connection.h"
#include "net/event_loop.h"
#include "net/event_loop_thread_pool.h"

namespace reactor {

/// A TCP server: accepts connections, owns them, and lets go of them when they go down.
/// It accepts in the base loop; each connection belongs to one of the I/O loops, which calls its
/// callbacks.
///
/// Destruction closes all connections without telling anyone.
/// It joins the I/O threads: when it returns, no callback runs any more. (Declare the server behind
/// what its callbacks use.)
/// It must not happen in one of the callbacks.
class TcpServer {
 public:
  /// What may be chosen; the defaults are for a start.
  struct Options {
    /// Each with a loop of its own; 0: the base loop does it all.
    size_t ioThreads = 0;
  };

  /// Binds at once, so that errors show early: throws std::system_error, "bind" if the port is
  /// busy. Accepts after start(). `base` must outlive the server.
  TcpServer(EventLoop& base, const InetAddress& address, Options options);
  TcpServer(EventLoop& base, const InetAddress& address);  ///< With the default options.
  ~TcpServer();
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  /// All callbacks are set before start().
  /// These run in the connection's loop.
  /// But the base loop tells that one is up, and whoever sends may find that it is down.
  void setConnectionCallback(ConnectionCallback callback);
  /// Called when bytes have come.
  void setMessageCallback(MessageCallback callback);

  /// A peer was turned away, since no descriptor was left.
  /// In the base loop.
  void setErrorCallback(std::function<void(std::error_code)> callback);

  /// Begins to listen.
  /// The I/O threads start first.
  void start();

  /// What it listens on, with the true port.
  const InetAddress& address() const { return acceptor_.address(); }

  /// Connections there are now, as far as one can say. Any thread, after start().
  size_t connectionCount() const;

 private:
  void accept(Socket socket, const InetAddress& peer);
  void remove(const Connection& connection);
  std::vector<std::shared_ptr<Connection>> all() const;

  EventLoop& base_;
  Acceptor acceptor_;
  ConnectionCallbacks callbacks_;
  std::shared_ptr<const ConnectionCallbacks> sharedCallbacks_;  ///< A copy, from start() on.
  std::function<void(std::error_code)> errorCallback_ = [](std::error_code) {};
  EventLoopThreadPool pool_;
  mutable std::mutex mutex_;
  std::unordered_map<uint64_t, std::shared_ptr<Connection>>
      connections_;  ///< By id. Guarded by mutex_.
};

}  // namespace reactor
