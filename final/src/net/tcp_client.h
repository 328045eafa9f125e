#pragma once

#include <memory>

#include "net/callbacks.h"
#include "net/connection.h"
#include "net/connector.h"
#include "net/event_loop.h"
#include "net/inet_address.h"

namespace reactor {

/// A TCP client: one connection to one server, made by a Connector and, if wanted, made again when
/// it is lost.
///
/// Used in its loop's thread, where it may be destroyed at any moment, also in a callback: nothing
/// is called back from then on.
class TcpClient {
 public:
  /// Does nothing before connect(). `loop` must outlive the client.
  TcpClient(EventLoop& loop, const InetAddress& server);
  ~TcpClient();
  TcpClient(const TcpClient&) = delete;
  TcpClient& operator=(const TcpClient&) = delete;

  /// All callbacks and settings before connect().
  void setConnectionCallback(ConnectionCallback callback);
  /// Called when bytes have come.
  void setMessageCallback(MessageCallback callback);
  /// Called when all output has left.
  void setWriteCompleteCallback(WriteCompleteCallback callback);
  /// Called when connecting has failed.
  void setRetryCallback(Connector::RetryCallback callback);
  /// How much may wait in memory.
  void setLimits(ConnectionLimits limits) { limits_ = limits; }
  /// Whether to connect again when a connection is lost.
  void setReconnect(bool reconnect) { reconnect_ = reconnect; }

  /// Connects, and tries until it succeeds or stop() is called.
  void connect();

  /// Sends what waits, then FIN; the connection goes down when the server closes. No reconnecting.
  void disconnect();

  /// Gives up connecting and reconnecting. A connection that is up stays.
  void stop();

  /// The connection, or null while there is none.
  Connection* connection() const { return connection_.get(); }

 private:
  void handleConnected(Socket socket);
  void handleClosed();

  EventLoop& loop_;
  std::unique_ptr<Connector> connector_;
  ConnectionCallbacks callbacks_;
  std::shared_ptr<const ConnectionCallbacks> sharedCallbacks_;  ///< What connect() found set.
  ConnectionLimits limits_;
  bool reconnect_ = false;
  std::shared_ptr<Connection> connection_;
};

}  // namespace reactor
