#include "protocol/protocol.h"

#include <any>
#include <utility>

namespace reactor {

// A server that is destroyed tells nobody: then the connection takes us along, in its thread.
Protocol::~Protocol() { cancelAll(); }

void Protocol::Handle::post(std::function<void(Protocol&)> task) const {
  loop_->queueInLoop([weak = connection_, task = std::move(task)] {
    const auto connection = weak.lock();
    if (!connection || !connection->connected()) return;
    task(*std::any_cast<const std::shared_ptr<Protocol>&>(connection->context()));
  });
}

TimerId Protocol::callLater(std::chrono::milliseconds delay, std::function<void()> callback) {
  // The timer knows its own id only once it has been made; it fires in a later turn.
  auto self = std::make_shared<TimerId>();
  *self = connection_->loop().runAfter(delay, [this, self, callback = std::move(callback)] {
    calls_.erase(self->sequence);
    callback();
  });
  calls_.insert(self->sequence);
  return *self;
}

void Protocol::cancel(TimerId id) {
  if (calls_.erase(id.sequence) > 0) connection_->loop().cancel(id);
}

void Protocol::lose() {
  connectionLost(connection_->closeReason());
  cancelAll();
}

void Protocol::cancelAll() {
  for (const uint64_t call : calls_) connection_->loop().cancel(TimerId{call});
  calls_.clear();
}

}  // namespace reactor
