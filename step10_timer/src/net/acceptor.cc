#include "net/acceptor.h"

#include <fcntl.h>

#include <cerrno>

namespace reactor {

namespace {

// So that a flood of new connections does not keep the loop from the old ones.
constexpr int kAcceptsPerTurn = 256;

Socket listeningSocket(const InetAddress& address) {
  Socket socket = Socket::create(address.family());
  socket.setReuseAddr();
  socket.bind(address);
  return socket;
}

FileDescriptor openReserve() { return FileDescriptor(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

bool outOfDescriptors(std::error_code error) {
  return error == errnoCode(EMFILE) || error == errnoCode(ENFILE);
}

}  // namespace

Acceptor::Acceptor(EventLoop& loop, const InetAddress& address)
    : socket_(listeningSocket(address)),
      address_(socket_.localAddress()),
      channel_(loop, socket_.fd()),
      reserve_(openReserve()) {
  channel_.setReadCallback([this] { handleRead(); });
  // Should even the reserve be gone, the next peer that knocks wakes us; level-triggered, the one
  // that waits already would, without end.
  channel_.useEdgeTrigger();
}

void Acceptor::listen() {
  socket_.listen();
  channel_.enableReading();
}

void Acceptor::handleRead() {
  for (int i = 0; i < kAcceptsPerTurn && channel_.isReading(); ++i) {
    InetAddress peer;
    std::error_code error;
    std::optional<Socket> socket = socket_.accept(peer, error);
    if (socket) {
      newConnectionCallback_(std::move(*socket), peer);
    } else if (error == errnoCode(EAGAIN)) {
      return;
    } else if (outOfDescriptors(error)) {
      // Also if nobody waits: accept4 takes a descriptor first, and then looks.
      const bool turnedAway = turnAway();
      if (turnedAway || reserve_.get() < 0) errorCallback_(error);
      if (!turnedAway) return;
    } else if (error != errnoCode(EINTR) && error != errnoCode(ECONNABORTED)) {
      errorCallback_(error);
      return;
    }
  }
  if (channel_.isReading()) channel_.rearm();
}

// Lets one peer in and out again: it learns at once that there is no room, and the kernel's backlog
// is rid of it. False if that cannot be done. (The idea: libev(3), "special problem of
// accept()ing".)
bool Acceptor::turnAway() {
  if (reserve_.get() < 0) reserve_ = openReserve();
  if (reserve_.get() < 0) return false;
  reserve_ = FileDescriptor();
  InetAddress peer;
  std::error_code error;
  const bool accepted = socket_.accept(peer, error).has_value();
  reserve_ = openReserve();
  return accepted;
}

}  // namespace reactor
