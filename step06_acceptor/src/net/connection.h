#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>

#include "net/callbacks.h"
#include "net/channel.h"
#include "net/event_loop.h"
#include "net/inet_address.h"
#include "net/socket.h"

namespace reactor {

/// One TCP connection, of a server or of a client.
///
/// Owned by whoever made it; everyone else keeps a weak_ptr. A callback gets a reference, good for
/// that call. A connection that has gone down lives on until the turn ends, so that no handler
/// further up the stack loses it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// Takes over `socket`, which is connected to `peer`. Nothing is watched before open().
  Connection(EventLoop& loop, Socket socket, const InetAddress& peer,
             std::shared_ptr<const ConnectionCallbacks> callbacks);

  /// Up: begins to read and tells the connection callback. For the owner, once.
  /// Closes at once if the kernel cannot watch one descriptor more.
  void open();

  /// Sends `bytes` to the peer. Without effect once the connection is down.
  /// Closes, and so calls back, if the peer is gone.
  void send(std::string_view bytes);

  /// Down, at once. `reason` is what closeReason() will say. The owner lets go of it, then the
  /// connection callback is told; of several calls the first counts.
  void close(std::error_code reason = {});

  /// Whether it is up.
  bool connected() const { return connected_; }

  /// Why it is down: none if it ended in good order.
  std::error_code closeReason() const { return closeReason_; }

  /// Unique in this process, for ever, unlike the descriptor, which the next connection may get.
  uint64_t id() const { return id_; }
  /// The loop that it belongs to.
  EventLoop& loop() const { return loop_; }
  /// The peer's address.
  const InetAddress& peer() const { return peer_; }

 private:
  void handleRead();

  EventLoop& loop_;
  const uint64_t id_;
  Socket socket_;
  Channel channel_;
  const InetAddress peer_;
  const std::shared_ptr<const ConnectionCallbacks> callbacks_;
  bool connected_ = true;
  std::error_code closeReason_;
};

}  // namespace reactor
