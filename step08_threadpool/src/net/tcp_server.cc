#include "net/tcp_server.h"

#include <utility>

namespace reactor {

TcpServer::TcpServer(EventLoop& base, const InetAddress& address, Options options)
    : base_(base), acceptor_(base, address), pool_(base_, options.ioThreads) {
  acceptor_.setNewConnectionCallback(
      [this](Socket socket, const InetAddress& peer) { accept(std::move(socket), peer); });
  acceptor_.setErrorCallback([this](std::error_code error) { errorCallback_(error); });
  callbacks_.closed = [this](Connection& connection) { remove(connection); };
}

TcpServer::TcpServer(EventLoop& base, const InetAddress& address)
    : TcpServer(base, address, Options{}) {}

TcpServer::~TcpServer() {
  for (const auto& connection : all()) connection->closeQuietly();
  pool_.stop();
}

void TcpServer::setConnectionCallback(ConnectionCallback callback) {
  callbacks_.connection = std::move(callback);
}

void TcpServer::setMessageCallback(MessageCallback callback) {
  callbacks_.message = std::move(callback);
}

void TcpServer::setErrorCallback(std::function<void(std::error_code)> callback) {
  errorCallback_ = std::move(callback);
}

void TcpServer::start() {
  sharedCallbacks_ = std::make_shared<const ConnectionCallbacks>(callbacks_);
  pool_.start();
  acceptor_.listen();
}

void TcpServer::accept(Socket socket, const InetAddress& peer) {
  EventLoop& loop = pool_.getNextLoop();
  auto connection = std::make_shared<Connection>(loop, std::move(socket), peer, sharedCallbacks_);
  {
    const std::lock_guard lock(mutex_);
    connections_.emplace(connection->id(), connection);
  }
  connection->open();
}

void TcpServer::remove(const Connection& connection) {
  const std::lock_guard lock(mutex_);
  connections_.erase(connection.id());
}

size_t TcpServer::connectionCount() const {
  const std::lock_guard lock(mutex_);
  return connections_.size();
}

// A copy: whoever closes one takes its lock, and must not hold ours meanwhile.
std::vector<std::shared_ptr<Connection>> TcpServer::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Connection>> result;
  result.reserve(connections_.size());
  for (const auto& [id, connection] : connections_) result.push_back(connection);
  return result;
}

}  // namespace reactor
