#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <system_error>
#include <unordered_set>

#include "net/connection.h"
#include "net/event_loop.h"

namespace reactor {

/// One side of one conversation, in the manner of Twisted: derive from it, say what to do when
/// something happens, and let a ProtocolServer make one for each connection.
///
/// Owned by its connection. All functions are called, and are to be called, in the thread of the
/// connection's loop, between connectionMade() and the end of connectionLost(); from elsewhere only
/// through a Handle.
class Protocol {
 public:
  virtual ~Protocol();
  Protocol(const Protocol&) = delete;
  Protocol& operator=(const Protocol&) = delete;

  /// What another thread, or another protocol, may keep of this one. It names the conversation, not
  /// a place in a table nor a descriptor, so it never means another one.
  class Handle {
   public:
    /// Calls `task` with the protocol, in its loop's thread; not at all if the conversation has
    /// ended by then. Any thread, as long as the server lives.
    void post(std::function<void(Protocol&)> task) const;

   private:
    friend class Protocol;
    Handle(EventLoop& loop, std::weak_ptr<Connection> connection)
        : loop_(&loop), connection_(std::move(connection)) {}

    EventLoop* loop_;
    std::weak_ptr<Connection> connection_;
  };

  /// For other threads. In the loop.
  Handle handle() const { return {connection_->loop(), connection_->weak_from_this()}; }

  /// Sends `bytes`, in the order of the calls.
  void write(std::string_view bytes) { connection_->send(bytes); }

  /// Ends the conversation once all that was written is out.
  void close() { connection_->shutdown(); }

  /// Calls `callback` once after `delay`, unless it is cancelled or the conversation ends before.
  TimerId callLater(std::chrono::milliseconds delay, std::function<void()> callback);

  /// The callback will not be called, also if its time has come already. Unknown ids are ignored.
  void cancel(TimerId id);

  /// The peer's address.
  const InetAddress& peer() const { return connection_->peer(); }
  uint64_t id() const { return connection_->id(); }  ///< Never used twice: Connection::id().

 protected:
  Protocol() = default;

  /// The conversation begins.
  virtual void connectionMade() {}

  /// Bytes have come, as TCP brings them: a message may be cut anywhere.
  virtual void dataReceived(std::string_view bytes) = 0;

  /// The conversation has ended; `reason` is none if in good order. Nothing is called after this.
  virtual void connectionLost([[maybe_unused]] std::error_code reason) {}

 private:
  friend class ProtocolServerBase;

  void lose();
  void cancelAll();

  Connection* connection_ = nullptr;
  std::unordered_set<uint64_t> calls_;  ///< The timers of callLater() that are still to fire.
};

}  // namespace reactor
