#include "chat/per_loop_broadcaster.h"

namespace reactor {

PerLoopBroadcaster::PerLoopBroadcaster(Flush flush, const std::vector<EventLoop*>& loops)
    : flush_(flush) {
  for (EventLoop* loop : loops) membersOf_.emplace(loop, std::make_shared<Members>());
}

void PerLoopBroadcaster::join(Connection& connection) {
  membersOf_.at(&connection.loop())->emplace(connection.id(), connection.weak_from_this());
}

void PerLoopBroadcaster::leave(Connection& connection) {
  membersOf_.at(&connection.loop())->erase(connection.id());
}

void PerLoopBroadcaster::broadcast(const SharedFrame& frame) {
  for (const auto& [loop, members] : membersOf_) {
    loop->runInLoop([members = members, frame, flush = flush_] {
      for (const auto& [id, weak] : *members) {
        if (const auto member = weak.lock()) deliver(*member, frame, flush);
      }
    });
  }
}

}  // namespace reactor
