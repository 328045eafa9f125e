#pragma once

#include <any>
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

/// How much a connection may hold in memory for a peer that is slower than we are, in bytes.
struct ConnectionLimits {
  /// More output than this waits: the peer is not read until it has taken some.
  size_t highWaterMark = 1 << 20;
  /// More than this waits: the connection is dropped (NetError::kBacklogExceeded).
  size_t backlog = 64 << 20;
};

/// One TCP connection, of a server or of a client.
///
/// Owned by whoever made it; everyone else keeps a weak_ptr. A callback gets a reference, good for
/// that call. A connection that has gone down lives on until the turn ends, so that no handler
/// further up the stack loses it.
///
/// Created, used and destroyed in its loop's thread: a weak_ptr is locked in a task of that loop.
/// Only open(), close() and, if nothing is left to be done, shutdown() call back at once.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  /// Takes over `socket`, which is connected to `peer`. Nothing is watched before open().
  Connection(EventLoop& loop, Socket socket, const InetAddress& peer,
             std::shared_ptr<const ConnectionCallbacks> callbacks, ConnectionLimits limits);

  /// Up: begins to read and tells the connection callback. For the owner, once.
  /// Closes at once if the kernel cannot watch one descriptor more.
  void open();

  /// Sends `bytes` to the peer. Without effect once the connection is down.
  /// They leave at the end of the turn, together with what else was sent in it.
  /// What the kernel does not take at once waits here until it does; if much waits, the peer is not
  /// read until it has taken some.
  void send(std::string_view bytes);

  /// Lets what was sent in this turn leave now, where several writes a turn are wanted. What goes
  /// wrong shows at the end of the turn, as with send().
  void flushNow();

  /// Ends the connection in good order: all output goes out first.
  /// FIN follows; the peer may still send, and is read, until it closes. No send() any more.
  void shutdown();

  /// shutdown(), but if the program has paused reading, not before it resumes: it may be working on
  /// an answer. For the owner, who knows nothing of that.
  void shutdownWhenIdle();

  /// Down, at once. `reason` is what closeReason() will say. The owner lets go of it, then the
  /// connection callback is told; of several calls the first counts.
  /// Output that waits is lost.
  void close(std::error_code reason = {});

  /// Down, at once, and nobody is told. For the owner, when those who would be are going away.
  void closeQuietly();

  /// The peer is not read any more: TCP makes it wait. An error is still noticed, EOF is not.
  void pauseReading();
  /// Ends what pauseReading() began.
  void resumeReading();

  /// Whether it is up.
  bool connected() const { return state_ != State::kDown; }

  /// Why it is down: none if it ended in good order.
  std::error_code closeReason() const { return closeReason_; }

  /// Unique in this process, for ever, unlike the descriptor, which the next connection may get.
  uint64_t id() const { return id_; }
  /// The loop that it belongs to.
  EventLoop& loop() const { return loop_; }
  /// The peer's address.
  const InetAddress& peer() const { return peer_; }

  Buffer& input() { return input_; }  ///< What the message callback left, outside of that callback.
  /// Bytes sent that the kernel did not take yet.
  size_t backlog() const { return output_.size(); }

  /// When the peer last gave a sign of life: sent bytes or, while it is not read or after
  /// shutdown(), took some. Now, if it is the program that has paused reading.
  Clock::time_point lastActive() const { return pausedByUser_ ? loop_.now() : lastActive_; }

  /// What the program wants to remember about this connection.
  std::any& context() { return context_; }

 private:
  enum class State : uint8_t {
    kOpen,
    /// shutdown() was called: FIN goes out behind the last byte of output.
    kFinishing,
    /// The peer's FIN has come: close when the output is out.
    kPeerDone,
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
  const ConnectionLimits limits_;
  State state_ = State::kOpen;
  bool flushQueued_ = false;
  bool pausedByUser_ = false;
  bool pausedByOutput_ = false;
  bool shutdownOnResume_ = false;
  std::error_code closeReason_;
  Clock::time_point lastActive_;
  Buffer input_;
  Buffer output_;
  std::any context_;
};

}  // namespace reactor
