#include <gtest/gtest.h>

#include <string>
#include <system_error>

#include "codec/length_codec.h"

namespace reactor {
namespace {

const LengthCodec kCodec;

std::string frame(const std::string& payload) { return kCodec.encode(payload); }

TEST(LengthCodec, PutsTheLengthBeforeThePayload) {
  EXPECT_EQ(std::string("\0\0\0\5hello", 9), kCodec.encode("hello"));
  EXPECT_EQ(std::string("\0\1\0\0", 4), kCodec.encode(std::string(65536, 'x')).substr(0, 4));
}

TEST(LengthCodec, FindsAFrameWhereverItIsSplit) {
  const std::string bytes = frame("hello");
  for (size_t split = 0; split <= bytes.size(); ++split) {
    Buffer input;
    std::error_code error;
    input.append(std::string_view(bytes).substr(0, split));
    if (split < bytes.size()) {
      EXPECT_FALSE(kCodec.decode(input, error)) << split;
      EXPECT_FALSE(error) << split;
      EXPECT_EQ(split, input.size()) << "taken though it was not whole";
    }
    input.append(std::string_view(bytes).substr(split));
    EXPECT_EQ("hello", kCodec.decode(input, error)) << split;
    EXPECT_TRUE(input.empty());
  }
}

TEST(LengthCodec, FindsFramesThatComeByteByByte) {
  Buffer input;
  std::error_code error;
  std::string found;
  for (const char byte : frame("one") + frame("two") + frame(std::string(300, 'x'))) {
    input.append({&byte, 1});
    if (const auto payload = kCodec.decode(input, error)) found.append(*payload).append("|");
    ASSERT_FALSE(error);
  }
  EXPECT_EQ("one|two|" + std::string(300, 'x') + "|", found);
}

TEST(LengthCodec, FramesOfAllLengthsComeBack) {
  Buffer input;
  std::error_code error;
  for (size_t size = 1; size <= 1000; ++size) {
    const std::string payload(size, 'x');
    input.append(frame(payload));
    ASSERT_EQ(payload, kCodec.decode(input, error)) << size;
  }
  input.append(frame(std::string(0x80ff, 'x')));
  EXPECT_EQ(std::string(0x80ff, 'x'), kCodec.decode(input, error));
  EXPECT_TRUE(input.empty());
}

TEST(LengthCodec, PayloadStaysReadableWhileFramesAreTaken) {
  Buffer input;
  std::error_code error;
  input.append(frame("one") + frame("two"));
  const auto one = kCodec.decode(input, error);
  const auto two = kCodec.decode(input, error);
  EXPECT_TRUE(input.empty());
  EXPECT_EQ("one", one);
  EXPECT_EQ("two", two);
}

TEST(LengthCodec, TellsGluedFramesApart) {
  Buffer input;
  std::error_code error;
  input.append(frame("one") + frame("two") + frame("three").substr(0, 6));
  EXPECT_EQ("one", kCodec.decode(input, error));
  EXPECT_EQ("two", kCodec.decode(input, error));
  EXPECT_FALSE(kCodec.decode(input, error));
  EXPECT_FALSE(error);
  input.append(frame("three").substr(6));
  EXPECT_EQ("three", kCodec.decode(input, error));
}

TEST(LengthCodec, AnyByteMayBeInAPayload) {
  std::string payload;
  for (int i = 0; i < 256; ++i) payload.push_back(static_cast<char>(i));
  Buffer input;
  std::error_code error;
  input.append(frame(payload));
  EXPECT_EQ(payload, kCodec.decode(input, error));
}

TEST(LengthCodec, RefusesLengthsThatCannotBe) {
  for (const std::string& header :
       {std::string("\0\0\0\0", 4), std::string("\0\1\0\1", 4), std::string("\x7f\xff\xff\xff", 4),
        std::string("\xff\xff\xff\xff", 4), std::string("\x80\0\0\0", 4)}) {
    for (const std::string behind : {"", "behind it"}) {
      Buffer input;
      std::error_code error;
      input.append(header + behind);
      for (int again = 0; again < 2; ++again) {
        EXPECT_FALSE(kCodec.decode(input, error));
        EXPECT_EQ(CodecError::kBadLength, error);
        EXPECT_EQ(header + behind, input.peek()) << "must be left as it is";
      }
    }
  }
}

TEST(LengthCodec, RefusesABadLengthAsSoonAsItIsThereNotBefore) {
  Buffer input;
  std::error_code error;
  input.append("\xff\xff\xff");
  EXPECT_FALSE(kCodec.decode(input, error));
  EXPECT_FALSE(error);
  input.append("\xff");
  EXPECT_FALSE(kCodec.decode(input, error));
  EXPECT_EQ(CodecError::kBadLength, error);
}

TEST(LengthCodec, KeepsFramesBeforeABadOne) {
  Buffer input;
  std::error_code error;
  input.append(frame("good") + std::string("\0\0\0\0", 4));
  EXPECT_EQ("good", kCodec.decode(input, error));
  EXPECT_FALSE(error);
  EXPECT_FALSE(kCodec.decode(input, error));
  EXPECT_EQ(CodecError::kBadLength, error);
  EXPECT_EQ(4u, input.size());
}

TEST(LengthCodec, TakesTheLongestAndTheShortestPayload) {
  const LengthCodec codec(10);
  Buffer input;
  std::error_code error;
  input.append(codec.encode("0123456789"));
  input.append(codec.encode("0"));
  input.append(std::string("\0\0\0\x0b", 4));
  EXPECT_EQ("0123456789", codec.decode(input, error));
  EXPECT_EQ("0", codec.decode(input, error));
  EXPECT_EQ(10u, codec.maxPayload());
  EXPECT_FALSE(codec.decode(input, error));
  EXPECT_EQ(CodecError::kBadLength, error);
}

TEST(LengthCodec, TakesSixtyFourKibibytesUnlessToldOtherwise) {
  const std::string longest(64 * 1024, 'x');
  Buffer input;
  std::error_code error;
  input.append(frame(longest));
  EXPECT_EQ(longest, kCodec.decode(input, error));
  EXPECT_EQ(longest.size(), kCodec.maxPayload());
}

TEST(LengthCodec, ForgetsTheErrorOfAnotherCall) {
  Buffer input;
  std::error_code error = CodecError::kBadLength;
  input.append(frame("fine"));
  EXPECT_TRUE(kCodec.decode(input, error));
  EXPECT_FALSE(error);
}

TEST(LengthCodec, ItsErrorHasAName) {
  EXPECT_EQ("frame length out of range", make_error_code(CodecError::kBadLength).message());
}

}  // namespace
}  // namespace reactor
