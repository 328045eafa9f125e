#include "chat/copy_on_write_broadcaster.h"

#include <utility>

namespace reactor {

// Always a copy, also when no broadcast seems to hold the old set: use_count() == 1 says that no
// other thread has it any more, but does not order that thread's last reads before our writes.
void CopyOnWriteBroadcaster::join(Connection& connection) {
  const std::lock_guard lock(mutex_);
  auto members = std::make_shared<Members>(*members_);
  members->emplace(connection.id(), Member(connection));
  members_ = std::move(members);
}

void CopyOnWriteBroadcaster::leave(Connection& connection) {
  const std::lock_guard lock(mutex_);
  auto members = std::make_shared<Members>(*members_);
  members->erase(connection.id());
  members_ = std::move(members);
}

void CopyOnWriteBroadcaster::broadcast(const SharedFrame& frame) {
  const auto members = snapshot();
  for (const auto& [id, member] : *members) member.send(frame, flush_);
}

std::shared_ptr<const CopyOnWriteBroadcaster::Members> CopyOnWriteBroadcaster::snapshot() {
  const std::lock_guard lock(mutex_);
  return members_;
}

}  // namespace reactor
