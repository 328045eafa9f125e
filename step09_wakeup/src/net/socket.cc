#include "net/socket.h"

#include <netinet/tcp.h>

#include <cerrno>

namespace reactor {

Socket Socket::create(sa_family_t family) {
  const int fd = ::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (fd < 0) throwErrno("socket");
  return Socket(fd);
}

void Socket::setReuseAddr() { setOption(SOL_SOCKET, SO_REUSEADDR, "setsockopt(SO_REUSEADDR)"); }
void Socket::setTcpNoDelay() { setOption(IPPROTO_TCP, TCP_NODELAY, "setsockopt(TCP_NODELAY)"); }
void Socket::setKeepAlive() { setOption(SOL_SOCKET, SO_KEEPALIVE, "setsockopt(SO_KEEPALIVE)"); }

void Socket::bind(const InetAddress& address) {
  if (::bind(fd_.get(), address.get(), address.size()) < 0) throwErrno("bind");
}

void Socket::listen() {
  if (::listen(fd_.get(), SOMAXCONN) < 0) throwErrno("listen");
}

std::optional<Socket> Socket::accept(InetAddress& peer, std::error_code& error) {
  sockaddr_in6 address{};
  socklen_t size = sizeof address;
  const int fd = ::accept4(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (fd < 0) {
    error = errnoCode(errno);
    return std::nullopt;
  }
  peer = InetAddress(reinterpret_cast<const sockaddr*>(&address));
  return Socket(fd);
}

std::error_code Socket::connect(const InetAddress& address) {
  if (::connect(fd_.get(), address.get(), address.size()) == 0) return {};
  return errnoCode(errno);
}

void Socket::shutdownWrite() noexcept { ::shutdown(fd_.get(), SHUT_WR); }

std::error_code Socket::error() const {
  int error = 0;
  socklen_t size = sizeof error;
  if (::getsockopt(fd_.get(), SOL_SOCKET, SO_ERROR, &error, &size) < 0) error = errno;
  return errnoCode(error);
}

InetAddress Socket::localAddress() const {
  sockaddr_in6 address{};
  socklen_t size = sizeof address;
  if (::getsockname(fd_.get(), reinterpret_cast<sockaddr*>(&address), &size) < 0) {
    throwErrno("getsockname");
  }
  return InetAddress(reinterpret_cast<const sockaddr*>(&address));
}

void Socket::setOption(int level, int option, const char* name) {
  const int on = 1;
  if (::setsockopt(fd_.get(), level, option, &on, sizeof on) < 0) throwErrno(name);
}

void throwErrno(const char* call) { throw std::system_error(errno, std::generic_category(), call); }

}  // namespace reactor
