#pragma once

#include <functional>
#include <system_error>

#include "net/channel.h"
#include "net/file_descriptor.h"
#include "net/inet_address.h"
#include "net/socket.h"

namespace reactor {

class EventLoop;

/// Listens on an address and accepts what comes. Used in its loop's thread.
class Acceptor {
 public:
  /// Takes over a connection.
  using NewConnectionCallback = std::function<void(Socket, const InetAddress& peer)>;
  /// accept4(2) failed; out of descriptors (EMFILE, ENFILE): one peer was turned away.
  using ErrorCallback = std::function<void(std::error_code)>;

  /// Binds to `address`, port 0 for any free one. Throws std::system_error: bind in use, not ours.
  Acceptor(EventLoop& loop, const InetAddress& address);
  Acceptor(const Acceptor&) = delete;
  Acceptor& operator=(const Acceptor&) = delete;

  /// Both before listen().
  void setNewConnectionCallback(NewConnectionCallback callback) {
    newConnectionCallback_ = std::move(callback);
  }
  /// Before listen().
  void setErrorCallback(ErrorCallback callback) { errorCallback_ = std::move(callback); }

  /// Begins to accept.
  void listen();

  /// Accepts no more; callable in the callbacks. Peers are refused once this is destroyed.
  void stop() { channel_.remove(); }

  /// What it is bound to, with the true port.
  const InetAddress& address() const { return address_; }

 private:
  void handleRead();
  bool turnAway();

  Socket socket_;
  const InetAddress address_;
  Channel channel_;
  NewConnectionCallback newConnectionCallback_;
  ErrorCallback errorCallback_ = [](std::error_code) {};
  FileDescriptor reserve_;  ///< A descriptor to give up when there are no others left.
};

}  // namespace reactor
