#pragma once

#include <memory>
#include <string>
#include <vector>

#include "net/connection.h"
#include "net/event_loop.h"

namespace reactor {

/// A frame on its way to many connections: one copy, shared by all.
using SharedFrame = std::shared_ptr<const std::string>;

/// When what was sent to a member leaves: once a turn, all in one write, or each message in a write
/// of its own, as most chat servers do it. The second is there to be measured against the first.
enum class Flush { kTurn, kMessage };

/// Sends `frame` to `member`, in its loop's thread. Calls nobody back.
void deliver(Connection& member, const SharedFrame& frame, Flush flush);

/// Who is in the chat, and how a frame gets to them all. One for each strategy:
/// - lock: one set, one mutex around it. Simple; threads that broadcast wait for each other.
/// - copy-on-write: one set behind a shared_ptr; who broadcasts takes it and needs no lock, who
///   comes or goes makes a new one.
/// - per loop: each loop has a set of its own connections, which no other thread ever sees; a frame
///   goes to each loop as one task.
///
/// Frames of one sender reach each member in the order in which they were sent.
class Broadcaster {
 public:
  virtual ~Broadcaster() = default;

  /// A connection has come, or goes. In its loop's thread.
  virtual void join(Connection& connection) = 0;
  /// No message reaches `connection` any more. In its loop.
  virtual void leave(Connection& connection) = 0;

  /// Sends `frame` to all members. In any loop's thread. Calls nobody back.
  virtual void broadcast(const SharedFrame& frame) = 0;
};

/// The three ways to find all clients: a class each.
enum class BroadcastStrategy { kLock, kCopyOnWrite, kPerLoop };

/// A broadcaster of that kind. `loops`: all that have connections.
std::unique_ptr<Broadcaster> makeBroadcaster(BroadcastStrategy strategy, Flush flush,
                                             const std::vector<EventLoop*>& loops);

/// A member as other threads may know it.
struct Member {
  /// Where the connection lives.
  EventLoop* loop;
  /// To be locked in that loop only.
  std::weak_ptr<Connection> connection;

  /// In the connection's loop.
  explicit Member(Connection& member) : loop(&member.loop()), connection(member.weak_from_this()) {}

  /// Sends `frame` in the loop's thread, at once if this is it. Only there is the weak_ptr locked,
  /// so that no connection ever ends in a thread that is not its own.
  void send(const SharedFrame& frame, Flush flush) const {
    loop->runInLoop([weak = connection, frame, flush] {
      if (const auto member = weak.lock()) deliver(*member, frame, flush);
    });
  }
};

}  // namespace reactor
