#include "net/connector.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "net/event_loop.h"
#include "net/net_error.h"

namespace reactor {

Connector::~Connector() { stop(); }

void Connector::start() {
  loop_.assertInLoopThread();
  if (socket_ || retryTimer_) return;
  delay_ = kFirstRetryDelay;
  connect();
}

void Connector::restart() {
  stop();
  delay_ = kFirstRetryDelay;
  retryLater();
}

void Connector::stop() {
  loop_.assertInLoopThread();
  if (retryTimer_) loop_.cancel(*retryTimer_);
  retryTimer_.reset();
  if (socket_) takeSocket();
}

void Connector::connect() {
  std::error_code error;
  try {
    socket_ = Socket::create(server_.family());
    error = socket_->connect(server_);
    if (!error || error == errnoCode(EINPROGRESS)) {
      // connect(2): "select for writing"; SO_ERROR then tells how it went.
      channel_ = std::make_unique<Channel>(loop_, socket_->fd());
      channel_->setWriteCallback([this] { handleDecided(); });
      channel_->setErrorCallback([this] { handleDecided(); });
      channel_->enableWriting();
      return;
    }
  } catch (const std::system_error& e) {
    error = e.code();  // No descriptor to be had, perhaps: there may be one later.
  }
  socket_.reset();
  retry(error);
}

void Connector::handleDecided() {
  Socket socket = takeSocket();
  std::error_code error = socket.error();
  // A port of the ephemeral range where nobody listens may be picked for our own end: TCP's
  // simultaneous open then connects the socket to itself (RFC 9293, 3.5).
  if (!error && socket.localAddress() == server_) error = NetError::kSelfConnection;
  if (error) return retry(error);
  newConnectionCallback_(std::move(socket));
}

// Ends the attempt. We may be in a callback of the channel, so it stays until the turn ends.
Socket Connector::takeSocket() {
  if (channel_) {
    channel_->remove();
    loop_.runAtTurnEnd([channel = std::shared_ptr<Channel>(std::move(channel_))] {});
  }
  Socket socket = std::move(*socket_);
  socket_.reset();
  return socket;
}

void Connector::retryLater() {
  retryTimer_ = loop_.runAfter(delay_, [this] {
    retryTimer_.reset();
    connect();
  });
}

void Connector::retry(std::error_code error) {
  retryLater();
  const std::chrono::milliseconds delay = delay_;
  delay_ = std::min(2 * delay_, kMaxRetryDelay);
  retryCallback_(error, delay);
}

}  // namespace reactor
