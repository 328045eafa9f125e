#include "net/connection.h"

#include <sys/epoll.h>

#include <atomic>
#include <cerrno>
#include <utility>

namespace reactor {

namespace {

constexpr size_t kReadSize = 64 * 1024;
// A peer that sends without pause gets this many reads a turn; then it is the others' turn.
constexpr int kReadsPerTurn = 8;
// More output than this waits: the peer is not read until it has taken some.
constexpr size_t kHighWaterMark = 1 << 20;

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
  channel_.setWriteCallback([this] { flush(); });
  channel_.setCloseCallback([this] { close(errnoCode(ECONNRESET)); });
  channel_.setErrorCallback([this] { close(socket_.error()); });
  channel_.useEdgeTrigger();
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
  if (state_ == State::kDown) return;
  output_.append(bytes);
  if (channel_.isWriting()) return pauseWhileFull();  // The kernel will say when it can take more.
  flush();
}

void Connection::close(std::error_code reason) {
  if (state_ == State::kDown) return;
  state_ = State::kDown;
  channel_.remove();
  loop_.runAtTurnEnd([self = shared_from_this()] {});
  closeReason_ = reason;
  callbacks_->closed(*this);
  callbacks_->connection(*this);
}

void Connection::handleRead() {
  // FIN or an error makes one edge with the last bytes: then the end must be read up to, now.
  const bool mayEnd = (channel_.happened() & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
  Buffer& block = loop_.readBuffer();
  for (int i = 0; i < kReadsPerTurn; ++i) {
    const ssize_t n = block.receiveFrom(socket_.fd(), kReadSize);
    if (n == 0) return handleEof();
    if (n < 0) {
      if (errno == EINTR) continue;
      if (errno != EAGAIN) close(errnoCode(errno));
      return;
    }
    deliver(block);
    if (!channel_.isReading()) return;  // Paused or closed meanwhile.
    // A read that did not fill its room has emptied the socket: epoll(7), question 9.
    if (static_cast<size_t>(n) < kReadSize && !mayEnd) return;
  }
  channel_.rearm();
}

void Connection::deliver(Buffer& block) {
  if (input_.empty()) {
    callbacks_->message(*this, block);
    input_.append(block.peek());
  } else {
    input_.append(block.peek());
    callbacks_->message(*this, input_);
    input_.shrink();
  }
  block.retrieveAll();
}

void Connection::handleEof() {
  channel_.disableReading();
  if (output_.empty()) return close();
  state_ = State::kPeerDone;
}

void Connection::flush() {
  if (const std::error_code error = writeOutput()) return close(error);
  pauseWhileFull();
  if (output_.empty()) return outputDrained();
  if (!channel_.isWriting()) channel_.enableWriting();
}

std::error_code Connection::writeOutput() {
  if (output_.empty()) return {};
  // One call: what it leaves over did not fit, and the kernel will tell when there is room.
  const ssize_t n = output_.sendTo(socket_.fd());
  if (n < 0) return errno == EAGAIN || errno == EINTR ? std::error_code() : errnoCode(errno);
  return {};
}

void Connection::outputDrained() {
  output_.shrink();
  if (channel_.isWriting()) channel_.disableWriting();
  if (state_ == State::kPeerDone) return close();
}

// A peer that does not take its answers need not send requests.
void Connection::pauseWhileFull() {
  // Once paused, until half of it is gone: not to and fro with every few bytes.
  pausedByOutput_ = output_.size() > kHighWaterMark / (pausedByOutput_ ? 2 : 1);
  updateReading();
}

void Connection::updateReading() {
  if (state_ == State::kDown || state_ == State::kPeerDone) return;
  const bool wanted = !pausedByOutput_;
  if (wanted == channel_.isReading()) return;
  // Enabling reports what has come in the meantime, though the channel is edge-triggered.
  if (wanted) {
    channel_.enableReading();
  } else {
    channel_.disableReading();
  }
}

}  // namespace reactor
