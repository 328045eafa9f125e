#pragma once

#include <zlib.h>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "framed_client.h"

namespace reactor::testing {

/// The CRC-32 of `bytes`, as the four bytes that go behind a payload.
inline std::string checksumOf(std::string_view bytes) {
  return bigEndian(static_cast<std::uint32_t>(
      ::crc32_z(0, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size())));
}

/// `payload` as it travels with a checksum: its length, itself, its CRC-32.
inline std::string checkedFrame(std::string_view payload) {
  return frame(payload).append(checksumOf(payload));
}

/// A client whose frames carry a checksum.
class CheckedClient : public FramedClient {
 public:
  using FramedClient::FramedClient;

  void sendMessage(std::string_view payload) { send(checkedFrame(payload)); }

  /// Receives one frame and returns its payload. Throws std::runtime_error if the checksum is
  /// wrong.
  std::string receiveMessage() {
    std::string payload = FramedClient::receiveMessage();
    if (receive(4) != checksumOf(payload)) throw std::runtime_error("wrong checksum received");
    return payload;
  }

  std::string ask(std::string_view payload) {
    sendMessage(payload);
    return receiveMessage();
  }
};

}  // namespace reactor::testing
