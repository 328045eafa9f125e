#include "net/connection_registry.h"

#include <utility>
#include <vector>

namespace reactor {

ConnectionRegistry::ConnectionRegistry(EventLoop& loop, ConnectionCallbacks callbacks)
    : loop_(loop) {
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
  connection->open();
}

void ConnectionRegistry::remove(const Connection& connection) {
  connections_.erase(connection.id());
  --size_;
  if (connections_.empty() && emptied_) std::exchange(emptied_, nullptr)();
}

void ConnectionRegistry::stop(std::function<void()> emptied) {
  if (connections_.empty()) return emptied();
  emptied_ = std::move(emptied);
  for (const auto& connection : all()) connection->shutdownWhenIdle();
}

void ConnectionRegistry::closeQuietly() {
  closed_ = true;
  for (const auto& [id, connection] : connections_) connection->closeQuietly();
  connections_.clear();
}

// A copy: closing takes connections out of the map.
std::vector<std::shared_ptr<Connection>> ConnectionRegistry::all() const {
  std::vector<std::shared_ptr<Connection>> result;
  result.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) result.push_back(connection);
  return result;
}

}  // namespace reactor
