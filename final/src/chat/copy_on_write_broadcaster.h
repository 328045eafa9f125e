#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>

#include "chat/broadcaster.h"

namespace reactor {

/// One set that is never changed once others can see it: a change makes a new one.
class CopyOnWriteBroadcaster : public Broadcaster {
 public:
  /// `flush`: when messages leave.
  explicit CopyOnWriteBroadcaster(Flush flush) : flush_(flush) {}

  void join(Connection& connection) override;
  void leave(Connection& connection) override;
  void broadcast(const SharedFrame& frame) override;

 private:
  using Members = std::unordered_map<uint64_t, Member>;  ///< By connection id.

  std::shared_ptr<const Members> snapshot();

  const Flush flush_;
  std::mutex mutex_;  ///< Held to take or to replace the pointer, never while frames are sent.
  std::shared_ptr<const Members> members_ = std::make_shared<const Members>();
};

}  // namespace reactor
