// Sends back to each client what it sends.

#include <netinet/in.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdint>
#include <iostream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

namespace {

constexpr uint16_t kDefaultPort = 9877;  // SERV_PORT of Stevens, "UNIX Network Programming".
// Of one epoll_wait(2); the next one tells the others.
constexpr int kMaxEvents = 1024;

[[noreturn]] void throwErrno(const char* call) {
  throw std::system_error(errno, std::generic_category(), call);
}

[[noreturn]] void closeAndThrow(int fd, const char* call) {
  const int error = errno;  // close(2) may change it.
  ::close(fd);
  errno = error;
  throwErrno(call);
}

// A port number from text.
uint16_t parsePort(std::string_view text) {
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end) {
    throw std::invalid_argument("not a port: '" + std::string(text) + "' (expected 0 to 65535)");
  }
  return port;
}

// A socket that listens on 127.0.0.1, for port 0 on any free port.
int listenOn(uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, IPPROTO_TCP);
  if (listener < 0) throwErrno("socket");
  const int on = 1;  // Connections of an earlier server in TIME_WAIT do not hinder: socket(7).
  if (::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0) {
    closeAndThrow(listener, "setsockopt(SO_REUSEADDR)");
  }
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    closeAndThrow(listener, "bind");
  }
  if (::listen(listener, SOMAXCONN) < 0) closeAndThrow(listener, "listen");
  return listener;
}

// The port that `listener` has, also if it was the kernel that chose it.
uint16_t portOf(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  if (::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size) < 0) {
    closeAndThrow(listener, "getsockname");
  }
  return ntohs(address.sin_port);
}

// False if the client is gone.
bool sendAll(int client, std::string_view bytes) {
  while (!bytes.empty()) {
    // To write to one that has gone is an error like others, not the signal SIGPIPE: send(2).
    const ssize_t n = ::send(client, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n >= 0) {
      bytes.remove_prefix(static_cast<size_t>(n));
    } else if (errno == EAGAIN) {
      // What the kernel cannot take now is waited for, and all other clients wait as long: a limit
      // that step 07 lifts.
      pollfd writable{client, POLLOUT, 0};
      ::poll(&writable, 1, -1);
    } else if (errno != EINTR) {
      return false;
    }
  }
  return true;
}

// Sends back what the client has sent. False when no more will come: it has closed, or failed.
bool echo(int client) {
  char bytes[64 * 1024];
  const ssize_t n = ::recv(client, bytes, sizeof bytes, 0);
  if (n < 0) return errno == EAGAIN || errno == EINTR;
  return n > 0 && sendAll(client, {bytes, static_cast<size_t>(n)});
}

// Watches `fd` for something to read.
void watch(int epoll, int fd) {
  epoll_event event{};
  event.events = EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) closeAndThrow(fd, "epoll_ctl(ADD)");
}

void acceptClient(int epoll, int listener) {
  const int client = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  // It has gone again: accept(2), error handling. Or no descriptor is free, and epoll will tell us
  // of it again and again until one is: a limit that step 06 lifts.
  if (client < 0) return;
  watch(epoll, client);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 2) {
    std::cerr << "usage: echo_server [PORT]\n";
    return 2;
  }
  try {
    const int listener = listenOn(argc > 1 ? parsePort(argv[1]) : kDefaultPort);
    std::cout << "listening on 127.0.0.1:" << portOf(listener) << std::endl;
    const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
    if (epoll < 0) closeAndThrow(listener, "epoll_create1");
    watch(epoll, listener);
    while (true) {
      epoll_event ready[kMaxEvents];
      const int n = ::epoll_wait(epoll, ready, kMaxEvents, -1);
      if (n < 0 && errno != EINTR) closeAndThrow(epoll, "epoll_wait");
      for (int i = 0; i < n; ++i) {
        const int fd = ready[i].data.fd;
        if (fd == listener) {
          acceptClient(epoll, listener);
        } else if (!echo(fd)) {
          ::close(fd);  // That takes it out of the set: epoll(7), question 6.
        }
      }
    }
  } catch (const std::exception& error) {
    std::cerr << "echo_server: " << error.what() << '\n';
    return 1;
  }
}
