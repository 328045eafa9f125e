#include "chat/broadcaster.h"

#include "chat/copy_on_write_broadcaster.h"
#include "chat/lock_broadcaster.h"
#include "chat/per_loop_broadcaster.h"

namespace reactor {

std::unique_ptr<Broadcaster> makeBroadcaster(BroadcastStrategy strategy,
                                             const std::vector<EventLoop*>& loops) {
  switch (strategy) {
    case BroadcastStrategy::kLock:
      return std::make_unique<LockBroadcaster>();
    case BroadcastStrategy::kCopyOnWrite:
      return std::make_unique<CopyOnWriteBroadcaster>();
    case BroadcastStrategy::kPerLoop:
      break;
  }
  return std::make_unique<PerLoopBroadcaster>(loops);
}

}  // namespace reactor
