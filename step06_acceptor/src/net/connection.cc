#include "net/connection.h"

#include <poll.h>
#include <sys/socket.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace reactor {

namespace {

constexpr size_t kReadSize = 64 * 1024;

uint64_t nextConnectionId() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

Connection::Connection(EventLoop& loop, Socket socket, const InetAddress& peer,
                       std::shared_ptr<const ConnectionCallbacks> callbacks)
    : loop_(loop),
      id_(nextConnectionId()),
      socket_(std::move(socket)),
      channel_(loop, socket_.fd()),
      peer_(peer),
      callbacks_(std::move(callbacks)) {
  socket_.setTcpNoDelay();
  socket_.setKeepAlive();
  channel_.setReadCallback([this] { handleRead(); });
}

void Connection::open() {
  std::error_code error;
  try {
    channel_.enableReading();
  } catch (const std::system_error& failed) {
    error = failed.code();  // The set may hold no more: epoll_ctl(2). The others go on.
  }
  callbacks_->connection(*this);
  if (error) close(error);
}

void Connection::send(std::string_view bytes) {
  while (connected_ && !bytes.empty()) {
    const ssize_t n = ::send(socket_.fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      // What the kernel cannot take now is waited for, and all other clients wait as long: a limit
      // that step 07 lifts.
      pollfd writable{socket_.fd(), POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      close(errnoCode(errno));
    }
  }
}

void Connection::close(std::error_code reason) {
  if (!connected_) return;
  connected_ = false;
  channel_.remove();
  loop_.runAtTurnEnd([self = shared_from_this()] {});
  closeReason_ = reason;
  callbacks_->closed(*this);
  callbacks_->connection(*this);
}

void Connection::handleRead() {
  char bytes[kReadSize];
  const ssize_t n = ::recv(socket_.fd(), bytes, sizeof bytes, 0);
  if (n > 0) {
    callbacks_->message(*this, {bytes, static_cast<size_t>(n)});
  } else if (n == 0) {
    close();
  } else if (errno != EAGAIN && errno != EINTR) {
    close(errnoCode(errno));
  }
}

}  // namespace reactor
