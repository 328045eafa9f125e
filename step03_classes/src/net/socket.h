#pragma once

#include <optional>
#include <system_error>

#include "net/file_descriptor.h"
#include "net/inet_address.h"

namespace reactor {

/// A TCP socket; owns its descriptor. Movable, not copyable.
///
/// Every socket here is non-blocking and close-on-exec. Functions throw std::system_error with the
/// name of the system call, unless they say otherwise. A Socket that has been moved from can only
/// be assigned to or destroyed.
class Socket {
 public:
  /// A new TCP socket for addresses of `family` (AF_INET or AF_INET6).
  static Socket create(sa_family_t family);

  /// Takes over `fd`, which nobody else may close from now on.
  explicit Socket(int fd) noexcept : fd_(fd) {}

  /// The descriptor.
  int fd() const { return fd_.get(); }

  void setReuseAddr();   ///< bind() succeeds although old connections are in TIME_WAIT: socket(7).
  void setTcpNoDelay();  ///< Small writes leave at once: tcp(7).
  void setKeepAlive();   ///< The kernel asks after a peer that has been silent for hours: tcp(7).

  /// bind(2).
  void bind(const InetAddress& address);
  /// listen(2), with the largest backlog.
  void listen();

  /// A connection that waits in the backlog and its peer, or none and the error that accept4(2)
  /// met; EAGAIN: no connection waits.
  std::optional<Socket> accept(InetAddress& peer, std::error_code& error);

  /// Begins to connect. EINPROGRESS is the rule: writability tells when it is decided, error() how.
  std::error_code connect(const InetAddress& address);

  /// Sends FIN after what has been written. A peer that is gone already is no error.
  void shutdownWrite() noexcept;

  /// What went wrong on this socket, and clears it (SO_ERROR).
  std::error_code error() const;

  /// getsockname(2).
  InetAddress localAddress() const;

 private:
  void setOption(int level, int option, const char* name);

  FileDescriptor fd_;
};

/// std::error_code of an errno value.
inline std::error_code errnoCode(int error) { return {error, std::generic_category()}; }

/// Throws std::system_error of the current errno; `call` names the system call that failed.
[[noreturn]] void throwErrno(const char* call);

}  // namespace reactor
