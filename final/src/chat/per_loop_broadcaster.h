#pragma once

#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "chat/broadcaster.h"

namespace reactor {

/// A set for each loop, used in that loop's thread alone: no locks but those of the task queues.
class PerLoopBroadcaster : public Broadcaster {
 public:
  /// `flush`: when messages leave. `loops`: those that have connections.
  PerLoopBroadcaster(Flush flush, const std::vector<EventLoop*>& loops);

  void join(Connection& connection) override;
  void leave(Connection& connection) override;
  void broadcast(const SharedFrame& frame) override;

 private:
  using Members = std::unordered_map<uint64_t, std::weak_ptr<Connection>>;  ///< By connection id.

  const Flush flush_;
  /// The map itself never changes; shared with the tasks that are on their way to a loop.
  std::unordered_map<EventLoop*, std::shared_ptr<Members>> membersOf_;
};

}  // namespace reactor
