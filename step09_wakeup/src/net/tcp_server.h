#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <system_error>
#include <vector>

#include "net/acceptor.h"
#include "net/callbacks.h"
#include "net/connection.h"
#include "net/connection_registry.h"
#include "net/event_loop.h"
#include "net/event_loop_thread_pool.h"

namespace reactor {

/// A TCP server: accepts connections, owns them, and lets go of them when they go down.
/// It accepts in the base loop; each connection belongs to one of the I/O loops, which calls its
/// callbacks.
///
/// Used in the base loop's thread, where it may be destroyed at any moment, also in a callback.
///
/// Destruction closes all connections without telling anyone.
/// It joins the I/O threads: when it returns, no callback runs any more. (Declare the server behind
/// what its callbacks use.)
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
  void setConnectionCallback(ConnectionCallback callback);
  /// Called when bytes have come.
  void setMessageCallback(MessageCallback callback);

  /// A peer was turned away, since no descriptor was left.
  /// In the base loop.
  void setErrorCallback(std::function<void(std::error_code)> callback);

  /// Begins to listen.
  /// The I/O threads start first.
  void start();

  /// Accepts no more, lets every connection send what waits (and what the program still works on,
  /// if it has paused reading), then closes it, and calls `done` in the base loop when all have
  /// gone.
  void stop(std::function<void()> done);

  /// What it listens on, with the true port.
  const InetAddress& address() const { return address_; }

  /// Connections there are now, as far as one can say. Any thread, after start().
  size_t connectionCount() const;

 private:
  void accept(Socket socket, const InetAddress& peer);
  void dropAcceptor();

  EventLoop& base_;
  std::unique_ptr<Acceptor> acceptor_;
  const InetAddress address_;
  ConnectionCallbacks callbacks_;
  std::function<void(std::error_code)> errorCallback_ = [](std::error_code) {};
  EventLoopThreadPool pool_;
  std::map<EventLoop*, std::shared_ptr<ConnectionRegistry>> registries_;  ///< One for each loop.
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace reactor
