#pragma once

#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "chat/broadcaster.h"

namespace reactor {

/// One set, one mutex, held while a frame is handed out.
class LockBroadcaster : public Broadcaster {
 public:
  /// `flush`: when messages leave.
  explicit LockBroadcaster(Flush flush) : flush_(flush) {}

  void join(Connection& connection) override;
  void leave(Connection& connection) override;
  void broadcast(const SharedFrame& frame) override;

 private:
  const Flush flush_;
  std::mutex mutex_;
  std::unordered_map<uint64_t, Member> members_;  ///< By connection id. Guarded by mutex_.
};

}  // namespace reactor
