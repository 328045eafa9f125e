#include "chat/chat_server.h"

#include <utility>

namespace reactor {

ChatServer::ChatServer(EventLoop& loop, const InetAddress& address, const Options& options)
    : codec_(options.codec),
      strategy_(options.strategy),
      flush_(options.flush),
      server_(loop, address, options.tcp) {
  server_.setConnectionCallback([this](Connection& connection) { handleConnection(connection); });
  server_.setMessageCallback(
      [this](Connection& connection, Buffer& input) { handleMessages(connection, input); });
}

void ChatServer::setErrorCallback(std::function<void(std::error_code)> callback) {
  server_.setErrorCallback(std::move(callback));
}

void ChatServer::start() {
  server_.start([this] { broadcaster_ = makeBroadcaster(strategy_, flush_, server_.loops()); });
}

void ChatServer::stop(Clock::duration grace, std::function<void()> done) {
  server_.stop(grace, std::move(done));
}

void ChatServer::handleConnection(Connection& connection) {
  if (connection.connected()) {
    broadcaster_->join(connection);
  } else {
    broadcaster_->leave(connection);
  }
  connectionCallback_(connection);
}

void ChatServer::handleMessages(Connection& connection, Buffer& input) {
  std::error_code error;
  while (const auto message = codec_.decode(input, error)) {
    broadcaster_->broadcast(std::make_shared<const std::string>(codec_.encode(*message)));
  }
  if (error) connection.close(error);
}

}  // namespace reactor
