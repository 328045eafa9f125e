#include "sockets.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include "environment.h"

namespace reactor::bench {

namespace {

constexpr size_t kConnectionsPerAddress = 10'000;

sockaddr_in loopback(uint16_t port, size_t hostOffset = 0) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK + static_cast<uint32_t>(hostOffset));
  return address;
}

const sockaddr* generic(const sockaddr_in& address) {
  return reinterpret_cast<const sockaddr*>(&address);
}

template <typename Value>
void setOption(const FileDescriptor& socket, int level, int option, const Value& value) {
  if (::setsockopt(socket.get(), level, option, &value, sizeof value) < 0) {
    throwErrno("setsockopt");
  }
}

// Throws what stands behind a blocking call on a socket that did not succeed.
[[noreturn]] void throwBrokenOff(ssize_t result) {
  throwIfInterrupted();
  if (result == 0) throw std::runtime_error("the server closed a connection");
  if (errno == EAGAIN) throw std::runtime_error("the server has not answered for 10 s");
  throwErrno("connection to the server");
}

}  // namespace

void throwErrno(const std::string& systemCall) {
  throw std::system_error(errno, std::generic_category(), systemCall);
}

FileDescriptor listenOnLoopback(uint16_t port) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!socket.valid()) throwErrno("socket");
  setOption(socket, SOL_SOCKET, SO_REUSEADDR, 1);
  const sockaddr_in address = loopback(port);
  if (::bind(socket.get(), generic(address), sizeof address) < 0) throwErrno("bind");
  if (::listen(socket.get(), SOMAXCONN) < 0) throwErrno("listen");
  return socket;
}

FileDescriptor acceptClient(const FileDescriptor& listener) {
  FileDescriptor socket(::accept4(listener.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC));
  if (socket.valid()) {
    setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  } else if (errno != EAGAIN && errno != EINTR && errno != ECONNABORTED) {
    throwErrno("accept4");
  }
  return socket;
}

uint16_t portOf(const FileDescriptor& socket) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) < 0) {
    throwErrno("getsockname");
  }
  return ntohs(address.sin_port);
}

FileDescriptor connectToLoopback(uint16_t port, size_t index) {
  FileDescriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
  if (!socket.valid()) throwErrno("socket");
  setOption(socket, IPPROTO_TCP, TCP_NODELAY, 1);
  setOption(socket, SOL_SOCKET, SO_LINGER, linger{.l_onoff = 1, .l_linger = 0});
  setOption(socket, SOL_SOCKET, SO_RCVTIMEO, timeval{.tv_sec = 10, .tv_usec = 0});
  setOption(socket, SOL_SOCKET, SO_SNDTIMEO, timeval{.tv_sec = 10, .tv_usec = 0});
  // The port is to be chosen by connect, which knows the other end: it may be in use towards
  // others.
  setOption(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, 1);
  const sockaddr_in source = loopback(0, index / kConnectionsPerAddress);
  if (::bind(socket.get(), generic(source), sizeof source) < 0) throwErrno("bind");
  const sockaddr_in server = loopback(port);
  if (::connect(socket.get(), generic(server), sizeof server) < 0) {
    throwIfInterrupted();
    throwErrno("connect");
  }
  return socket;
}

void setNonBlocking(const FileDescriptor& socket) {
  const int flags = ::fcntl(socket.get(), F_GETFL);
  if (flags < 0 || ::fcntl(socket.get(), F_SETFL, flags | O_NONBLOCK) < 0) throwErrno("fcntl");
}

void sendAll(const FileDescriptor& socket, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(socket.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) throwBrokenOff(n);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

void receiveAll(const FileDescriptor& socket, std::span<char> bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::recv(socket.get(), bytes.data(), bytes.size(), 0);
    if (n <= 0) throwBrokenOff(n);
    bytes = bytes.subspan(static_cast<size_t>(n));
  }
}

size_t receiveSome(const FileDescriptor& socket, std::span<char> room) {
  const ssize_t n = ::recv(socket.get(), room.data(), room.size(), 0);
  if (n < 0 && errno == EAGAIN) return 0;
  if (n < 0) throwErrno("recv");
  if (n == 0) throw std::runtime_error("the server closed a connection");
  return static_cast<size_t>(n);
}

EpollSet::EpollSet() : epoll_(::epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_.valid()) throwErrno("epoll_create1");
}

void EpollSet::add(const FileDescriptor& fd, uint32_t events, void* data) {
  epoll_event event{.events = events, .data = {.ptr = data}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) < 0) throwErrno("epoll_ctl");
}

void EpollSet::modify(const FileDescriptor& fd, uint32_t events, void* data) {
  epoll_event event{.events = events, .data = {.ptr = data}};
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd.get(), &event) < 0) throwErrno("epoll_ctl");
}

std::span<epoll_event> EpollSet::wait(std::chrono::milliseconds timeout) {
  static std::array<epoll_event, 1024> events;
  const int n = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()),
                             static_cast<int>(timeout.count()));
  if (n < 0 && errno != EINTR) throwErrno("epoll_wait");
  return {events.data(), n < 0 ? 0 : static_cast<size_t>(n)};
}

}  // namespace reactor::bench
