#include "net/inet_address.h"

#include <netdb.h>

#include <charconv>
#include <cstring>
#include <memory>
#include <stdexcept>

namespace reactor {

InetAddress::InetAddress() : address_{} { address_.v4.sin_family = AF_INET; }

InetAddress::InetAddress(const sockaddr* address) : address_{} {
  if (address->sa_family == AF_INET6) {
    std::memcpy(&address_.v6, address, sizeof(sockaddr_in6));
  } else {
    std::memcpy(&address_.v4, address, sizeof(sockaddr_in));
  }
}

InetAddress InetAddress::resolve(const std::string& host, uint16_t port) {
  // getaddrinfo(3) would take the name to end there.
  if (host.find('\0') != std::string::npos)
    throw std::runtime_error("no such host: it contains NUL");
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0) {
    throw std::runtime_error("no such host: '" + host + "' (" + ::gai_strerror(error) + ")");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  InetAddress address(found->ai_addr);
  // The port is at the same place in both families (RFC 3493, 3.3).
  address.address_.v4.sin_port = htons(port);
  return address;
}

InetAddress InetAddress::parse(std::string_view text) {
  const size_t colon = text.rfind(':');
  std::string_view host = text.substr(0, colon);
  const bool bracketed = host.size() >= 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  const bool v6 = host.find(':') != std::string_view::npos;
  if (colon == std::string_view::npos || host.empty() || bracketed != v6) {
    throw std::invalid_argument("not an address: '" + std::string(text) +
                                "' (expected HOST:PORT or [IPV6]:PORT)");
  }
  return resolve(std::string(host), parsePort(text.substr(colon + 1)));
}

uint16_t InetAddress::port() const { return ntohs(address_.v4.sin_port); }

std::string InetAddress::toString() const {
  char host[NI_MAXHOST] = "?";
  ::getnameinfo(get(), size(), host, sizeof host, nullptr, 0, NI_NUMERICHOST);
  const bool v6 = family() == AF_INET6;
  std::string text = v6 ? "[" : "";
  text.append(host).append(v6 ? "]:" : ":").append(std::to_string(port()));
  return text;
}

socklen_t InetAddress::size() const {
  return family() == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
}

bool operator==(const InetAddress& a, const InetAddress& b) {
  if (a.family() != b.family() || a.port() != b.port()) return false;
  if (a.family() == AF_INET) return a.address_.v4.sin_addr.s_addr == b.address_.v4.sin_addr.s_addr;
  return a.address_.v6.sin6_scope_id == b.address_.v6.sin6_scope_id &&
         std::memcmp(&a.address_.v6.sin6_addr, &b.address_.v6.sin6_addr, sizeof(in6_addr)) == 0;
}

uint16_t parsePort(std::string_view text) {
  uint16_t port = 0;
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, port);
  if (error != std::errc() || stop != end) {
    throw std::invalid_argument("not a port: '" + std::string(text) + "' (expected 0 to 65535)");
  }
  return port;
}

}  // namespace reactor
