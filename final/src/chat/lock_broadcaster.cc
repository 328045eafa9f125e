#include "chat/lock_broadcaster.h"

namespace reactor {

void LockBroadcaster::join(Connection& connection) {
  const std::lock_guard lock(mutex_);
  members_.emplace(connection.id(), Member(connection));
}

void LockBroadcaster::leave(Connection& connection) {
  const std::lock_guard lock(mutex_);
  members_.erase(connection.id());
}

void LockBroadcaster::broadcast(const SharedFrame& frame) {
  const std::lock_guard lock(mutex_);
  for (const auto& [id, member] : members_) member.send(frame, flush_);
}

}  // namespace reactor
