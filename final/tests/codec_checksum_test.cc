#include <gtest/gtest.h>

#include <string>
#include <system_error>

#include "codec/length_codec.h"

namespace reactor {
namespace {

const LengthCodec kCodec(Checksum::kCrc32);

TEST(Checksum, IsTheCrc32OfZlibBigEndian) {
  // The check value of CRC-32/ISO-HDLC: that of "123456789" is CBF43926.
  EXPECT_EQ(std::string("\0\0\0\x09"
                        "123456789"
                        "\xcb\xf4\x39\x26",
                        17),
            kCodec.encode("123456789"));
}

TEST(Checksum, FrameIsFoundWhereverItIsSplit) {
  const std::string bytes = kCodec.encode("hello");
  for (size_t split = 0; split < bytes.size(); ++split) {
    Buffer input;
    std::error_code error;
    input.append(std::string_view(bytes).substr(0, split));
    EXPECT_FALSE(kCodec.decode(input, error)) << split;
    EXPECT_FALSE(error) << split;
    input.append(std::string_view(bytes).substr(split));
    EXPECT_EQ("hello", kCodec.decode(input, error)) << split;
    EXPECT_TRUE(input.empty());
  }
}

TEST(Checksum, EveryFlippedBitIsNoticed) {
  const std::string bytes = kCodec.encode("hello");
  for (size_t bit = 4 * 8; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << bit % 8));
    Buffer input;
    std::error_code error;
    input.append(damaged);
    EXPECT_FALSE(kCodec.decode(input, error)) << bit;
    EXPECT_EQ(CodecError::kBadChecksum, error) << bit;
  }
}

TEST(Checksum, FramesBehindEachOtherAreEachChecked) {
  Buffer input;
  std::error_code error;
  std::string wrong = kCodec.encode("two");
  wrong.back() = static_cast<char>(wrong.back() + 1);
  input.append(kCodec.encode("one") + wrong);
  EXPECT_EQ("one", kCodec.decode(input, error));
  EXPECT_FALSE(kCodec.decode(input, error));
  EXPECT_EQ(CodecError::kBadChecksum, error);
}

}  // namespace
}  // namespace reactor
