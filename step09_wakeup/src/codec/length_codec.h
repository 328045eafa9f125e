#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include "net/buffer.h"

namespace reactor {

/// What is wrong with a frame. Nothing behind it can be trusted: the connection has to be closed.
enum class CodecError {
  kBadLength = 1,  ///< Zero, or more than the limit.
};

/// For std::error_code: `error == CodecError::kBadLength` works.
std::error_code make_error_code(CodecError error);

/// Cuts messages out of a stream of bytes, and makes bytes of messages.
///
/// A frame is the length of the payload, 4 bytes, big-endian, and the payload.
/// Immutable: any thread.
class LengthCodec {
 public:
  static constexpr size_t kDefaultMaxPayload = 64 * 1024;  ///< Bytes.

  /// `maxPayload`: the most bytes that a frame may carry.
  explicit LengthCodec(size_t maxPayload = kDefaultMaxPayload) : maxPayload_(maxPayload) {}

  /// Takes the first frame off `input` and returns its payload, valid until bytes are next put into
  /// `input`. Nothing if the frame is not complete yet, or is bad: then `error` says so, and
  /// `input` is left as it is.
  std::optional<std::string_view> decode(Buffer& input, std::error_code& error) const;

  /// The frame of `payload`, whose size must be in 1..maxPayload().
  std::string encode(std::string_view payload) const;

  size_t maxPayload() const { return maxPayload_; }  ///< In bytes.

 private:
  size_t maxPayload_;
};

}  // namespace reactor

template <>
struct std::is_error_code_enum<reactor::CodecError> : std::true_type {};
