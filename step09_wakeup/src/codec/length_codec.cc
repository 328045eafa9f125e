#include "codec/length_codec.h"

#include <cassert>
#include <cstdint>

namespace reactor {

namespace {

constexpr size_t kLengthSize = 4;

class CodecErrorCategory : public std::error_category {
 public:
  const char* name() const noexcept override { return "codec"; }

  std::string message(int error) const override {
    switch (static_cast<CodecError>(error)) {
      case CodecError::kBadLength:
        return "frame length out of range";
    }
    return "unknown error";
  }
};

uint32_t readUint32(std::string_view bytes) {
  uint32_t number = 0;
  for (size_t i = 0; i < 4; ++i) number = number << 8 | static_cast<unsigned char>(bytes[i]);
  return number;
}

void appendUint32(std::string& bytes, uint32_t number) {
  for (int shift = 24; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(number >> shift & 0xff));
  }
}

}  // namespace

std::error_code make_error_code(CodecError error) {
  static const CodecErrorCategory category;
  return {static_cast<int>(error), category};
}

std::optional<std::string_view> LengthCodec::decode(Buffer& input, std::error_code& error) const {
  error.clear();
  const std::string_view bytes = input.peek();
  if (bytes.size() < kLengthSize) return std::nullopt;
  const size_t length = readUint32(bytes);
  if (length == 0 || length > maxPayload_) {
    error = CodecError::kBadLength;
    return std::nullopt;
  }
  const size_t frameSize = kLengthSize + length;
  if (bytes.size() < frameSize) return std::nullopt;
  const std::string_view payload = bytes.substr(kLengthSize, length);
  input.retrieve(frameSize);
  return payload;
}

std::string LengthCodec::encode(std::string_view payload) const {
  assert(!payload.empty() && payload.size() <= maxPayload_);
  std::string frame;
  frame.reserve(kLengthSize + payload.size());
  appendUint32(frame, static_cast<uint32_t>(payload.size()));
  frame.append(payload);
  return frame;
}

}  // namespace reactor
