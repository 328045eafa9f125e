#include "protocol/protocol_server.h"

#include <any>

namespace reactor {

namespace {

Protocol& protocolOf(Connection& connection) {
  return *std::any_cast<const std::shared_ptr<Protocol>&>(connection.context());
}

}  // namespace

ProtocolServerBase::ProtocolServerBase(EventLoop& loop, const InetAddress& address,
                                       TcpServer::Options options, Factory makeProtocol)
    : makeProtocol_(std::move(makeProtocol)), server_(loop, address, options) {
  server_.setConnectionCallback([this](Connection& connection) { handleConnection(connection); });
  server_.setMessageCallback([](Connection& connection, Buffer& input) {
    protocolOf(connection).dataReceived(input.peek());
    input.retrieveAll();
  });
}

void ProtocolServerBase::handleConnection(Connection& connection) {
  if (!connection.connected()) return protocolOf(connection).lose();
  std::shared_ptr<Protocol> protocol = makeProtocol_();
  protocol->connection_ = &connection;
  connection.context() = protocol;
  protocol->connectionMade();
}

}  // namespace reactor
