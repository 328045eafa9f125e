#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <system_error>

#include "net/buffer.h"
#include "net/callbacks.h"
#include "net/channel.h"
#include "net/event_loop.h"
#include "net/inet_address.h"
#include "net/socket.h"

namespace reactor {

/// One TCP connection, of a server or of a client.
///
/// Owned by whoever made it (TcpServer's registry), created, used and destroyed in its loop's
/// thread. Everyone else keeps a weak_ptr and locks it in a task of that loop; a callback gets a
/// reference, good for that call. A connection that has gone down lives on until the turn ends, so
/// that no handler further up the stack loses it.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// Takes over `socket`, which is connected to `peer`. Nothing is watched before open().
  Connection(EventLoop& loop, Socket socket, const InetAddress& peer,
             std::shared_ptr<const ConnectionCallbacks> callbacks);

  /// Up: begins to read and tells the connection callback. For the owner, once.
  void open();

  /// Sends `bytes` to the peer. What the kernel does not take at once waits here until it does; if
  /// much waits, the peer is not read until it has taken some. Closes if the peer is gone.
  void send(std::string_view bytes);

  /// Closes when all output is out.
  void shutdown();

  /// shutdown(), but if the program has paused reading, not before it resumes: it may be working on
  /// an answer. For the owner, who knows nothing of that.
  void shutdownWhenIdle();

  /// Down, at once: output that waits is lost. `reason` is what closeReason() will say. The owner
  /// lets go of it, then the connection callback is told; of several calls the first counts.
  void close(std::error_code reason = {});

  /// Down, at once, and nobody is told. For the owner, when those who would be are going away.
  void closeQuietly();

  /// The peer is not read any more: TCP makes it wait. An error is still noticed, EOF is not.
  void pauseReading();
  void resumeReading();

  bool connected() const { return state_ != State::kDown; }

  /// Why it is down: none if the peer ended it in good order.
  std::error_code closeReason() const { return closeReason_; }

  /// Unique in this process, for ever, unlike the descriptor, which the next connection may get.
  uint64_t id() const { return id_; }
  EventLoop& loop() const { return loop_; }
  const InetAddress& peer() const { return peer_; }

  Buffer& input() { return input_; }  ///< What the message callback left, outside of that callback.

 private:
  enum class State : uint8_t {
    kOpen,
    kPeerDone,  ///< The peer's FIN has come, or shutdown() was called: close when the output is
                ///< out.
    kDown,
  };

  void handleRead();
  void deliver(Buffer& block);
  void handleEof();
  void flush();
  std::error_code writeOutput();
  void outputDrained();
  void pauseWhileFull();
  void updateReading();

  EventLoop& loop_;
  const uint64_t id_;
  Socket socket_;
  Channel channel_;
  const InetAddress peer_;
  const std::shared_ptr<const ConnectionCallbacks> callbacks_;
  State state_ = State::kOpen;
  bool pausedByUser_ = false;
  bool pausedByOutput_ = false;
  bool shutdownOnResume_ = false;
  std::error_code closeReason_;
  Buffer input_;
  Buffer output_;
};

}  // namespace reactor
