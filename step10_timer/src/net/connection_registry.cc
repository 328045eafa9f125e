#include "net/connection_registry.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "net/net_error.h"

namespace reactor {

using std::chrono::milliseconds;

ConnectionRegistry::ConnectionRegistry(EventLoop& loop, ConnectionCallbacks callbacks,
                                       Clock::duration idleTimeout)
    : loop_(loop), idleTimeout_(idleTimeout) {
  callbacks.closed = [this](Connection& connection) { remove(connection); };
  callbacks_ = std::make_shared<const ConnectionCallbacks>(std::move(callbacks));
}

void ConnectionRegistry::accept(Socket socket, const InetAddress& peer) {
  ++size_;
  // In a shared_ptr, since a task must be copyable; it closes the socket if it never runs.
  auto shared = std::make_shared<Socket>(std::move(socket));
  loop_.runInLoop(
      [self = shared_from_this(), shared, peer] { self->add(std::move(*shared), peer); });
}

void ConnectionRegistry::add(Socket socket, const InetAddress& peer) {
  if (closed_) return;
  auto connection = std::make_shared<Connection>(loop_, std::move(socket), peer, callbacks_);
  connections_.emplace(connection->id(), connection);
  if (idleTimeout_ > Clock::duration::zero() && idleTimer_.sequence == 0) startIdleTimer();
  connection->open();
}

void ConnectionRegistry::remove(const Connection& connection) {
  connections_.erase(connection.id());
  --size_;
  if (connections_.empty() && emptied_) {
    loop_.cancel(graceTimer_);
    std::exchange(emptied_, nullptr)();
  }
}

void ConnectionRegistry::stop(Clock::duration grace, std::function<void()> emptied) {
  if (connections_.empty()) return emptied();
  emptied_ = std::move(emptied);
  graceTimer_ = loop_.runEvery(grace / 4, [this, grace, deadline = Clock::now() + 10 * grace] {
    closeStragglers(grace, deadline);
  });
  for (const auto& connection : all()) connection->shutdownWhenIdle();
}

void ConnectionRegistry::closeQuietly() {
  closed_ = true;
  loop_.cancel(idleTimer_);
  loop_.cancel(graceTimer_);
  for (const auto& [id, connection] : connections_) connection->closeQuietly();
  connections_.clear();
}

void ConnectionRegistry::closeStragglers(Clock::duration grace, Clock::time_point deadline) {
  const auto self = shared_from_this();  // A callback may destroy the server.
  for (const auto& connection : all()) {
    if (loop_.now() >= std::min(connection->lastActive() + grace, deadline)) {
      connection->close(NetError::kServerStopped);
    }
  }
}

// A copy: closing takes connections out of the map.
std::vector<std::shared_ptr<Connection>> ConnectionRegistry::all() const {
  std::vector<std::shared_ptr<Connection>> result;
  result.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) result.push_back(connection);
  return result;
}

void ConnectionRegistry::startIdleTimer() {
  const Clock::duration tick =
      std::clamp<Clock::duration>(idleTimeout_ / 16, milliseconds(10), milliseconds(1000));
  idleTimer_ = loop_.runEvery(tick, [this] { endIdle(); });
}

void ConnectionRegistry::endIdle() {
  const auto self = shared_from_this();  // A callback may destroy the server.
  for (const auto& connection : all()) {
    if (loop_.now() >= connection->lastActive() + idleTimeout_) {
      connection->close(NetError::kIdleTimeout);
    }
  }
}

}  // namespace reactor
