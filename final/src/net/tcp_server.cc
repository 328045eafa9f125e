#include "net/tcp_server.h"

#include <algorithm>
#include <utility>

#include "net/net_error.h"

namespace reactor {

TcpServer::TcpServer(EventLoop& base, const InetAddress& address, Options options)
    : base_(base),
      options_(options),
      acceptor_(std::make_unique<Acceptor>(base, address)),
      address_(acceptor_->address()),
      pool_(base_, options.ioThreads) {
  acceptor_->setNewConnectionCallback(
      [this](Socket socket, const InetAddress& peer) { accept(std::move(socket), peer); });
  acceptor_->setErrorCallback([this](std::error_code error) { errorCallback_(error); });
}

TcpServer::TcpServer(EventLoop& base, const InetAddress& address)
    : TcpServer(base, address, Options{}) {}

TcpServer::~TcpServer() {
  base_.assertInLoopThread();
  dropAcceptor();
  for (const auto& [loop, registry] : registries_) {
    loop->runInLoop([registry = registry] { registry->closeQuietly(); });
  }
  pool_.stop();
}

void TcpServer::setConnectionCallback(ConnectionCallback callback) {
  callbacks_.connection = std::move(callback);
}

void TcpServer::setMessageCallback(MessageCallback callback) {
  callbacks_.message = std::move(callback);
}

void TcpServer::setWriteCompleteCallback(WriteCompleteCallback callback) {
  callbacks_.writeComplete = std::move(callback);
}

void TcpServer::setErrorCallback(std::function<void(std::error_code)> callback) {
  errorCallback_ = std::move(callback);
}

void TcpServer::start(const std::function<void()>& beforeListening) {
  base_.assertInLoopThread();
  pool_.start();
  for (EventLoop* loop : pool_.loops()) {
    registries_[loop] = std::make_shared<ConnectionRegistry>(*loop, callbacks_, options_.limits,
                                                             options_.idleTimeout);
  }
  beforeListening();
  acceptor_->listen();
}

void TcpServer::accept(Socket socket, const InetAddress& peer) {
  if (connectionCount() >= options_.maxConnections) {
    return errorCallback_(NetError::kTooManyConnections);  // ~Socket tells the peer.
  }
  chooseRegistry().accept(std::move(socket), peer);
}

ConnectionRegistry& TcpServer::chooseRegistry() {
  EventLoop& next = pool_.getNextLoop();
  if (options_.loopChoice == LoopChoice::kInTurn) return *registries_.at(&next);
  return *std::min_element(
              registries_.begin(), registries_.end(),
              [](const auto& a, const auto& b) { return a.second->size() < b.second->size(); })
              ->second;
}

void TcpServer::stop(Clock::duration grace, std::function<void()> done) {
  base_.assertInLoopThread();
  dropAcceptor();
  // The loops report here one by one; by then this server may be gone, and with it who waits.
  auto remaining = std::make_shared<size_t>(registries_.size());
  auto report = [remaining, done = std::move(done), alive = std::weak_ptr<bool>(alive_)] {
    if (--*remaining == 0 && !alive.expired()) done();
  };
  for (const auto& [loop, registry] : registries_) {
    loop->runInLoop([registry = registry, grace, report, &base = base_] {
      registry->stop(grace, [report, &base] { base.queueInLoop(report); });
    });
  }
}

size_t TcpServer::connectionCount() const {
  size_t count = 0;
  for (const auto& [loop, registry] : registries_) count += registry->size();
  return count;
}

// We may be in one of its callbacks, so it stays until the turn ends.
void TcpServer::dropAcceptor() {
  if (!acceptor_) return;
  acceptor_->stop();
  base_.runAtTurnEnd([acceptor = std::shared_ptr<Acceptor>(std::move(acceptor_))] {});
}

}  // namespace reactor
