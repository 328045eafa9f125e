#include "net/tcp_server.h"

#include <utility>

namespace reactor {

TcpServer::TcpServer(EventLoop& base, const InetAddress& address)
    : base_(base), acceptor_(base, address) {
  acceptor_.setNewConnectionCallback(
      [this](Socket socket, const InetAddress& peer) { accept(std::move(socket), peer); });
  acceptor_.setErrorCallback([this](std::error_code error) { errorCallback_(error); });
  callbacks_.closed = [this](Connection& connection) { remove(connection); };
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
  acceptor_.listen();
}

void TcpServer::accept(Socket socket, const InetAddress& peer) {
  auto connection = std::make_shared<Connection>(base_, std::move(socket), peer, sharedCallbacks_);
  connections_.emplace(connection->id(), connection);
  connection->open();
}

void TcpServer::remove(const Connection& connection) { connections_.erase(connection.id()); }

}  // namespace reactor
