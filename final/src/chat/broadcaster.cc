#include "chat/broadcaster.h"

#include "chat/copy_on_write_broadcaster.h"
#include "chat/lock_broadcaster.h"
#include "chat/per_loop_broadcaster.h"

namespace reactor {

void deliver(Connection& member, const SharedFrame& frame, Flush flush) {
  member.send(*frame);
  if (flush == Flush::kMessage) member.flushNow();
}

std::unique_ptr<Broadcaster> makeBroadcaster(BroadcastStrategy strategy, Flush flush,
                                             const std::vector<EventLoop*>& loops) {
  switch (strategy) {
    case BroadcastStrategy::kLock:
      return std::make_unique<LockBroadcaster>(flush);
    case BroadcastStrategy::kCopyOnWrite:
      return std::make_unique<CopyOnWriteBroadcaster>(flush);
    case BroadcastStrategy::kPerLoop:
      break;
  }
  return std::make_unique<PerLoopBroadcaster>(flush, loops);
}

}  // namespace reactor
