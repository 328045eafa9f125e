#pragma once

#include <cstddef>
#include <string>

namespace reactor::bench {

constexpr size_t kHeaderSize = 4;

/// A message of `size` bytes in all, more than the header: 4 bytes with the payload's length,
/// big-endian, then the payload, whose last byte is `last`. The wire format of muduo's chat
/// example; a server that echoes bytes does not notice.
inline std::string makeFrame(size_t size, char last = 'z') {
  const size_t payload = size - kHeaderSize;
  std::string frame;
  for (int shift = 24; shift >= 0; shift -= 8) {
    frame.push_back(static_cast<char>(payload >> shift & 0xff));
  }
  for (size_t i = 0; i < payload; ++i) frame.push_back(static_cast<char>('a' + i % 26));
  frame.back() = last;
  return frame;
}

}  // namespace reactor::bench
