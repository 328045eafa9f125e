#include "net/tcp_client.h"

#include <utility>

namespace reactor {

TcpClient::TcpClient(EventLoop& loop, const InetAddress& server)
    : loop_(loop), connector_(std::make_unique<Connector>(loop, server)) {
  connector_->setNewConnectionCallback(
      [this](Socket socket) { handleConnected(std::move(socket)); });
  callbacks_.closed = [this](Connection&) { handleClosed(); };
}

TcpClient::~TcpClient() {
  connector_->stop();
  if (connection_) connection_->closeQuietly();
  // We may be in one of its callbacks, so it stays until the turn ends.
  loop_.runAtTurnEnd([connector = std::shared_ptr<Connector>(std::move(connector_))] {});
}

void TcpClient::setConnectionCallback(ConnectionCallback callback) {
  callbacks_.connection = std::move(callback);
}

void TcpClient::setMessageCallback(MessageCallback callback) {
  callbacks_.message = std::move(callback);
}

void TcpClient::setWriteCompleteCallback(WriteCompleteCallback callback) {
  callbacks_.writeComplete = std::move(callback);
}

void TcpClient::setRetryCallback(Connector::RetryCallback callback) {
  connector_->setRetryCallback(std::move(callback));
}

void TcpClient::connect() {
  loop_.assertInLoopThread();
  if (connection_) return;
  sharedCallbacks_ = std::make_shared<const ConnectionCallbacks>(callbacks_);
  connector_->start();
}

void TcpClient::disconnect() {
  stop();
  if (connection_) connection_->shutdown();
}

void TcpClient::stop() {
  reconnect_ = false;
  connector_->stop();
}

void TcpClient::handleConnected(Socket socket) {
  connection_ = std::make_shared<Connection>(loop_, std::move(socket), connector_->server(),
                                             sharedCallbacks_, limits_);
  connection_->open();
}

void TcpClient::handleClosed() {
  connection_.reset();
  if (reconnect_) connector_->restart();
}

}  // namespace reactor
