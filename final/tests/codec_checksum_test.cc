#include <gtest/gtest.h>

#include <string>
#include <system_error>

#include "codec/length_codec.h"

namespace reactor {
namespace {

const LengthCodec kCodec(LengthCodec::kDefaultMaxPayload, Checksum::kCrc32);

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
    EXPECT_FALSE(error) << split;
    EXPECT_TRUE(input.empty());
  }
}

TEST(Checksum, EveryFlippedBitIsNoticed) {
  const std::string bytes = kCodec.encode(std::string("hello\0\xff world", 13));
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

TEST(Checksum, CoversALongPayloadToItsEnd) {
  const std::string bytes = kCodec.encode(std::string(64 * 1024, 'x'));
  for (size_t i = 1; i <= 64; ++i) {
    std::string damaged = bytes;
    damaged[3 + i * 1024] = 'y';  // Every 1024th byte, the last one too.
    Buffer input;
    std::error_code error;
    input.append(damaged);
    EXPECT_FALSE(kCodec.decode(input, error)) << i;
    EXPECT_EQ(CodecError::kBadChecksum, error) << i;
  }
}

TEST(Checksum, FramesBehindEachOtherAreEachChecked) {
  Buffer input;
  std::error_code error;
  std::string wrong = kCodec.encode("two");
  wrong.back() = static_cast<char>(wrong.back() + 1);
  input.append(kCodec.encode("one") + wrong);
  EXPECT_EQ("one", kCodec.decode(input, error));
  for (int again = 0; again < 2; ++again) {
    EXPECT_FALSE(kCodec.decode(input, error));
    EXPECT_EQ(CodecError::kBadChecksum, error);
    EXPECT_EQ(wrong, input.peek()) << "must be left as it is";
  }
}

TEST(Checksum, IsOfThePayloadAlone) {
  // CRC-32 of "a" and of "abc", known from elsewhere; the length is not part of it.
  EXPECT_EQ(std::string("\xe8\xb7\xbe\x43", 4), kCodec.encode("a").substr(5));
  EXPECT_EQ(std::string("\x35\x24\x41\xc2", 4), kCodec.encode("abc").substr(7));
}

TEST(Checksum, FramesOfAllLengthsComeBack) {
  Buffer input;
  std::error_code error;
  for (size_t size = 1; size <= 64 * 1024; size = size * 3 + 1) {
    std::string payload;
    for (size_t i = 0; i < size; ++i) payload.push_back(static_cast<char>(i * 7));
    input.append(kCodec.encode(payload));
    EXPECT_EQ(payload, kCodec.decode(input, error)) << size;
    EXPECT_TRUE(input.empty());
  }
}

TEST(Checksum, BadLengthIsFoundBeforeTheChecksumIsThere) {
  Buffer input;
  std::error_code error;
  input.append(std::string("\0\1\0\1", 4));
  EXPECT_FALSE(kCodec.decode(input, error));
  EXPECT_EQ(CodecError::kBadLength, error);
}

TEST(Checksum, IsLeftOutIfBothSidesSaySo) {
  const LengthCodec plain;
  EXPECT_EQ(std::string("\0\0\0\5hello", 9), plain.encode("hello"));
  Buffer input;
  std::error_code error;
  input.append(plain.encode("hello") + plain.encode("world"));  // No checksum between them.
  EXPECT_EQ("hello", plain.decode(input, error));
  EXPECT_EQ("world", plain.decode(input, error));
  EXPECT_TRUE(input.empty());
}

TEST(Checksum, ItsErrorHasAName) {
  EXPECT_EQ("wrong checksum", make_error_code(CodecError::kBadChecksum).message());
}

}  // namespace
}  // namespace reactor
