#pragma once

#include <system_error>

namespace reactor {

/// Why the library ended a connection (or did not make one) where the kernel saw no error.
enum class NetError {
  /// Nothing came from the peer for too long.
  kIdleTimeout = 1,
  /// The peer did not leave in the time that a stopping server grants.
  kServerStopped,
};

/// For std::error_code: `error == NetError::kIdleTimeout` works.
std::error_code make_error_code(NetError error);

}  // namespace reactor

template <>
struct std::is_error_code_enum<reactor::NetError> : std::true_type {};
