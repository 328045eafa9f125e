#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "waiting.h"

namespace reactor::testing {

/// `value` in network byte order, as the four bytes that go before a payload.
inline std::string bigEndian(std::uint32_t value) {
  const std::uint32_t network = htonl(value);
  return {reinterpret_cast<const char*>(&network), sizeof network};
}

/// `payload` as it travels: its length, then itself.
inline std::string frame(std::string_view payload) {
  return bigEndian(static_cast<std::uint32_t>(payload.size())).append(payload);
}

/// Lets this process, and the servers that it starts from now on, open `count` descriptors.
/// Returns false where the system forbids that.
inline bool allowDescriptors(rlim_t count) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_max < count) return false;
  limit.rlim_cur = std::max(limit.rlim_cur, count);
  return ::setrlimit(RLIMIT_NOFILE, &limit) == 0;
}

/// A TCP client on 127.0.0.1 that sends and receives frames, and does not hang: what has to wait
/// waits no longer than kPatience and then throws std::runtime_error. An error of the connection
/// is thrown as std::system_error. Used by one thread.
class FramedClient {
 public:
  /// Connects to `port`. With `receiveBufferBytes` the kernel keeps about that little for a client
  /// that does not read, instead of megabytes.
  explicit FramedClient(std::uint16_t port, int receiveBufferBytes = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    check(fd_, "socket");
    try {
      connect(port, receiveBufferBytes);
    } catch (...) {
      close();
      throw;
    }
  }

  ~FramedClient() { close(); }

  FramedClient(FramedClient&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  FramedClient& operator=(FramedClient&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int fd() const { return fd_; }

  std::uint16_t localPort() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    check(::getsockname(fd_, reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    return ntohs(address.sin_port);
  }

  /// Sends all of `bytes`, as they are.
  void send(std::string_view bytes) {
    const auto deadline = Clock::now() + kPatience;
    while (!bytes.empty()) {
      bytes.remove_prefix(sendSome(bytes));
      if (!bytes.empty()) await(POLLOUT, deadline, "to send");
    }
  }

  /// Sends as much of `bytes` as goes without waiting and returns how many bytes that was.
  std::size_t sendSome(std::string_view bytes) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
    return static_cast<std::size_t>(check(n, "send"));
  }

  /// Sends one frame.
  void sendMessage(std::string_view payload) { send(frame(payload)); }

  /// Receives exactly `count` bytes. Throws std::runtime_error if the connection ends before.
  std::string receive(std::size_t count) {
    const auto deadline = Clock::now() + kPatience;
    std::string bytes(count, '\0');
    std::size_t filled = 0;
    while (filled < count) {
      await(POLLIN, deadline, "to receive");
      const std::size_t n = receiveSome(bytes.data() + filled, count - filled);
      if (n == 0) {
        throw std::runtime_error("the connection ended after " + std::to_string(filled) + " of " +
                                 std::to_string(count) + " bytes");
      }
      if (n != kNothing) filled += n;
    }
    return bytes;
  }

  /// Receives one frame and returns its payload.
  std::string receiveMessage() {
    const std::string header = receive(4);
    std::uint32_t length = 0;
    header.copy(reinterpret_cast<char*>(&length), sizeof length);
    length = ntohl(length);
    if (length > kLargestPayload) {
      throw std::runtime_error("a frame of " + std::to_string(length) + " bytes is announced");
    }
    return receive(length);
  }

  /// Sends one frame and returns the payload of the next one that comes.
  std::string ask(std::string_view payload) {
    sendMessage(payload);
    return receiveMessage();
  }

  /// Sends all of `bytes` and returns as many that came back. Reads while it writes, as a peer has
  /// to whose server answers before it reads on: otherwise each would wait for the other.
  std::string exchange(std::string_view bytes) {
    auto deadline = Clock::now() + kPatience;
    std::string answer(bytes.size(), '\0');
    std::size_t filled = 0;
    while (filled < answer.size()) {
      const short wanted = bytes.empty() ? POLLIN : POLLIN | POLLOUT;
      const short happened = await(wanted, deadline, "to exchange bytes");
      if ((happened & POLLOUT) != 0) bytes.remove_prefix(sendSome(bytes));
      if ((happened & ~POLLOUT) == 0) continue;
      const std::size_t n = receiveSome(answer.data() + filled, answer.size() - filled);
      if (n == 0) throw std::runtime_error("the connection ended before all had come back");
      if (n != kNothing) filled += n;
    }
    return answer;
  }

  /// Returns all that comes until end of file. Throws std::system_error if the connection is
  /// reset instead.
  std::string receiveUntilEof() {
    const auto deadline = Clock::now() + kPatience;
    std::string bytes;
    char chunk[64 * 1024];
    while (true) {
      await(POLLIN, deadline, "for the end of the stream");
      const std::size_t n = receiveSome(chunk, sizeof chunk);
      if (n == 0) return bytes;
      if (n != kNothing) bytes.append(chunk, n);
    }
  }

  /// Waits for the server to end the connection, by end of file or reset, and returns whether it
  /// did. What comes before that is thrown away.
  bool isCutOff(std::chrono::milliseconds patience = kPatience) {
    const auto deadline = Clock::now() + patience;
    char chunk[64 * 1024];
    try {
      while (readable(remaining(deadline))) {
        if (receiveSome(chunk, sizeof chunk) == 0) return true;
        if (Clock::now() >= deadline) return false;
      }
    } catch (const std::system_error&) {
      return true;
    }
    return false;
  }

  /// Whether there is something to read, be it the end. Waits for it up to `patience`.
  bool readable(std::chrono::milliseconds patience = std::chrono::milliseconds(0)) const {
    return poll(POLLIN, patience) != 0;
  }

  /// Whether more can be sent. Waits for it up to `patience`.
  bool writable(std::chrono::milliseconds patience = std::chrono::milliseconds(0)) const {
    return poll(POLLOUT, patience) != 0;
  }

  /// Sends end of file and goes on receiving.
  void shutdownWrite() { check(::shutdown(fd_, SHUT_WR), "shutdown"); }

  /// Ends the connection the hard way: the server gets a reset (RST) instead of end of file.
  void reset() {
    const linger hard{1, 0};
    check(::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard), "setsockopt SO_LINGER");
    close();
  }

  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }

 private:
  using Clock = std::chrono::steady_clock;
  static constexpr std::size_t kNothing = static_cast<std::size_t>(-1);
  static constexpr std::uint32_t kLargestPayload = 16 * 1024 * 1024;

  template <typename Integer>
  static Integer check(Integer result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
  }

  static std::chrono::milliseconds remaining(Clock::time_point deadline) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now());
    return std::max(left, std::chrono::milliseconds(0));
  }

  void connect(std::uint16_t port, int receiveBufferBytes) {
    if (receiveBufferBytes > 0) {
      check(
          ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receiveBufferBytes, sizeof receiveBufferBytes),
          "setsockopt SO_RCVBUF");
    }
    const int on = 1;
    check(::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on), "setsockopt TCP_NODELAY");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return;
    if (errno != EINPROGRESS) check(-1, "connect");
    await(POLLOUT, Clock::now() + kPatience, "to connect");
    int error = 0;
    socklen_t size = sizeof error;
    check(::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size), "getsockopt SO_ERROR");
    if (error != 0) throw std::system_error(error, std::generic_category(), "connect");
  }

  /// Returns what poll reports, 0 after `patience`.
  short poll(short events, std::chrono::milliseconds patience) const {
    const auto deadline = Clock::now() + patience;
    pollfd entry{fd_, events, 0};
    while (true) {
      const int n = ::poll(&entry, 1, static_cast<int>(remaining(deadline).count()));
      if (n < 0 && errno == EINTR) continue;
      check(n, "poll");
      return entry.revents;
    }
  }

  short await(short events, Clock::time_point deadline, const char* what) const {
    const short happened = poll(events, remaining(deadline));
    if (happened == 0) throw std::runtime_error(std::string("waited in vain ") + what);
    return happened;
  }

  /// Returns how many bytes came, 0 at end of file, kNothing if there were none after all.
  std::size_t receiveSome(char* to, std::size_t room) {
    const ssize_t n = ::recv(fd_, to, room, 0);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) return kNothing;
    return static_cast<std::size_t>(check(n, "recv"));
  }

  int fd_ = -1;
};

}  // namespace reactor::testing
