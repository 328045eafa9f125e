#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace reactor {

/// An IPv4 or IPv6 address and a port: a value, cheap to copy, no resources behind it.
class InetAddress {
 public:
  /// 0.0.0.0, port 0: any address, a port that the kernel picks.
  InetAddress();

  /// What the kernel filled in. `address` must be of family AF_INET or AF_INET6.
  explicit InetAddress(const sockaddr* address);

  /// The first address of `host`, a name or a numeric address, through getaddrinfo(3); blocks while
  /// a name is looked up. Throws std::runtime_error that names the host if there is no such host.
  static InetAddress resolve(const std::string& host, uint16_t port);

  /// `host:port` or `[::1]:port`. Throws std::invalid_argument if `text` has neither form or the
  /// port is not in 0..65535, and what resolve() throws.
  static InetAddress parse(std::string_view text);

  uint16_t port() const;  ///< In host byte order.
  /// AF_INET or AF_INET6.
  sa_family_t family() const { return address_.v4.sin_family; }

  /// `127.0.0.1:80`, `[::1]:80` or, with its scope, `[fe80::1%eth0]:80`: what parse() reads.
  std::string toString() const;

  /// For system calls, with size().
  const sockaddr* get() const { return &address_.any; }
  socklen_t size() const;  ///< Of the address that get() points to, in bytes.

  /// Same family, address and port.
  friend bool operator==(const InetAddress& a, const InetAddress& b);

 private:
  union {
    sockaddr any;
    sockaddr_in v4;
    sockaddr_in6 v6;
  } address_;
};

/// A port number from text. Throws std::invalid_argument unless it is a number in 0..65535.
uint16_t parsePort(std::string_view text);

}  // namespace reactor
