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

/// A TCP server: accepts in the base loop, and hands each connection to one of its I/O loops, which
/// calls its callbacks.
///
/// Used in the base loop's thread. Destruction, not in one of its callbacks, closes all connections
/// without telling anyone and joins the I/O threads: when it returns, no callback runs any more.
/// (Declare it behind what its callbacks use.)
class TcpServer {
 public:
  struct Options {
    size_t ioThreads = 0;  ///< Each with a loop of its own; 0: the base loop does it all.
  };

  /// Binds at once, so that errors show early: throws std::system_error, "bind" if the port is
  /// busy. Accepts after start(). `base` must outlive the server.
  TcpServer(EventLoop& base, const InetAddress& address, Options options);
  TcpServer(EventLoop& base, const InetAddress& address);  ///< With the default options.
  ~TcpServer();
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;

  /// All callbacks are set before start().
  void setConnectionCallback(ConnectionCallback callback);
  void setMessageCallback(MessageCallback callback);

  /// A peer was turned away: out of descriptors.
  void setErrorCallback(std::function<void(std::error_code)> callback);

  /// Starts the I/O threads, then listens.
  void start();

  /// What it listens on, with the true port.
  const InetAddress& address() const { return acceptor_.address(); }

  /// Connections there are now, as far as one can say. Any thread.
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
