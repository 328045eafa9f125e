#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <string_view>

#include "net/buffer.h"

namespace reactor {
namespace {

TEST(Buffer, HoldsNoMemoryBeforeItHoldsBytes) {
  const Buffer buffer;
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(0u, buffer.capacity());
  EXPECT_EQ("", buffer.peek());
}

TEST(Buffer, GivesBackWhatWasPutInInItsOrder) {
  Buffer buffer;
  std::string expected;
  // Of all sizes, more in than out, then more out than in: grows, moves to the front, runs empty.
  for (size_t i = 0; i < 3000; ++i) {
    const std::string piece(i % 257, static_cast<char>('a' + i % 26));
    buffer.append(piece);
    expected += piece;
    const size_t out = std::min((i * 7) % (i < 1500 ? 200 : 400), expected.size());
    buffer.retrieve(out);
    expected.erase(0, out);
    ASSERT_EQ(expected, buffer.peek()) << "after piece " << i;
    ASSERT_EQ(expected.size(), buffer.size());
  }
}

TEST(Buffer, DoesNotGrowWhileAsMuchLeavesAsComes) {
  Buffer buffer;
  for (int i = 0; i < 10'000; ++i) {
    buffer.append(std::string(100, 'x'));
    buffer.retrieve(i == 0 ? 50 : 100);
  }
  EXPECT_LE(buffer.capacity(), 1000u);
}

TEST(Buffer, GrowsByDoublingNotByTheByte) {
  Buffer buffer;
  int growths = 0;
  for (size_t size = 0, before = 0; size < 1 << 20; before = buffer.capacity(), ++size) {
    buffer.append("x");
    if (buffer.capacity() != before) ++growths;
  }
  EXPECT_LE(growths, 22);
  EXPECT_EQ(std::string(1 << 20, 'x'), buffer.peek());
}

TEST(Buffer, TakesNothingAsWellAsAnything) {
  Buffer buffer;
  buffer.append("");
  buffer.append(std::string_view());
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ(0u, buffer.capacity());
  buffer.retrieve(0);
  buffer.retrieveAll();
  buffer.shrink();
  EXPECT_EQ(0u, buffer.capacity());
  buffer.append(std::string("\0\0", 2));
  EXPECT_EQ(2u, buffer.size());
}

TEST(Buffer, BytesStayReadableAfterTheyAreRetrieved) {
  Buffer buffer;
  buffer.append("message and more");
  const std::string_view all = buffer.peek();
  buffer.retrieve(7);
  EXPECT_EQ(" and more", buffer.peek());
  EXPECT_EQ("message and more", all);
  buffer.retrieve(9);
  EXPECT_TRUE(buffer.empty());
  EXPECT_EQ("message and more", all);
}

TEST(Buffer, ShrinkGivesMemoryBackAndKeepsTheBytes) {
  Buffer buffer;
  buffer.append(std::string(100'000, 'x'));
  buffer.retrieve(99'990);
  buffer.shrink();
  EXPECT_LE(buffer.capacity(), 20u);
  EXPECT_EQ("xxxxxxxxxx", buffer.peek());
  buffer.retrieveAll();
  buffer.shrink();
  EXPECT_EQ(0u, buffer.capacity());
  buffer.append("again");
  EXPECT_EQ("again", buffer.peek());
}

TEST(Buffer, ShrinkKeepsMemoryThatIsMostlyUsed) {
  Buffer buffer;
  buffer.append(std::string(1000, 'x'));
  buffer.retrieve(400);
  const void* before = buffer.peek().data();
  buffer.shrink();
  EXPECT_EQ(before, buffer.peek().data()) << "moved for little";
  EXPECT_EQ(1000u, buffer.capacity());
}

class BufferOnSocket : public ::testing::Test {
 protected:
  BufferOnSocket() { ::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds_); }
  ~BufferOnSocket() override {
    for (const int fd : fds_) ::close(fd);
  }
  void closePeer() {
    ::close(fds_[1]);
    fds_[1] = -1;
  }

  int fds_[2];
  Buffer buffer_;
};

TEST_F(BufferOnSocket, ReceivesBehindWhatItHolds) {
  buffer_.append("old ");
  ASSERT_EQ(3, ::send(fds_[1], "new", 3, 0));
  EXPECT_EQ(3, buffer_.receiveFrom(fds_[0], 1000));
  EXPECT_EQ("old new", buffer_.peek());
}

TEST_F(BufferOnSocket, ReceivesAtMostWhatItIsTold) {
  buffer_.append(std::string(100, 'x'));  // Has room for more then.
  buffer_.retrieveAll();
  ASSERT_EQ(6, ::send(fds_[1], "abcdef", 6, 0));
  EXPECT_EQ(4, buffer_.receiveFrom(fds_[0], 4));
  EXPECT_EQ("abcd", buffer_.peek());
  EXPECT_EQ(2, buffer_.receiveFrom(fds_[0], 1 << 20));
  EXPECT_EQ("abcdef", buffer_.peek());
}

TEST_F(BufferOnSocket, TellsNothingThereFromEndOfFile) {
  buffer_.append("kept");
  EXPECT_EQ(-1, buffer_.receiveFrom(fds_[0], 10));
  EXPECT_EQ(EAGAIN, errno);
  EXPECT_EQ("kept", buffer_.peek());
  ASSERT_EQ(4, ::send(fds_[1], "last", 4, 0));
  closePeer();
  EXPECT_EQ(4, buffer_.receiveFrom(fds_[0], 10)) << "what was sent before the end";
  EXPECT_EQ(0, buffer_.receiveFrom(fds_[0], 10));
  EXPECT_EQ("keptlast", buffer_.peek());
}

TEST_F(BufferOnSocket, KeepsItsBytesWhileNothingFits) {
  const std::string block(64 * 1024, 'x');
  while (::send(fds_[0], block.data(), block.size(), 0) > 0) {
  }
  while (::send(fds_[0], "x", 1, 0) > 0) {
  }
  buffer_.append("waits");
  EXPECT_EQ(-1, buffer_.sendTo(fds_[0]));
  EXPECT_EQ(EAGAIN, errno);
  EXPECT_EQ("waits", buffer_.peek());
}

TEST_F(BufferOnSocket, SendsWhatFitsAndKeepsTheRest) {
  const size_t total = 4 << 20;
  for (size_t i = 0; i < total; ++i) buffer_.append(std::string(1, static_cast<char>(i * 31)));
  std::string received;
  Buffer peer;
  bool partial = false;
  while (received.size() < total) {
    const size_t before = buffer_.size();
    const ssize_t n = buffer_.sendTo(fds_[0]);
    if (n > 0) {
      ASSERT_EQ(before - static_cast<size_t>(n), buffer_.size());
      partial = partial || !buffer_.empty();
    }
    while (peer.receiveFrom(fds_[1], 64 * 1024) > 0) {
    }
    received += peer.peek();
    peer.retrieveAll();
  }
  EXPECT_TRUE(partial) << "the socket took all at once: the test shows nothing";
  EXPECT_TRUE(buffer_.empty());
  for (size_t i = 0; i < total; ++i) ASSERT_EQ(static_cast<char>(i * 31), received[i]) << i;
}

TEST_F(BufferOnSocket, PeerThatIsGoneIsAnErrorAndNoSignal) {
  closePeer();
  buffer_.append("x");
  EXPECT_EQ(-1, buffer_.sendTo(fds_[0]));
  EXPECT_EQ(EPIPE, errno);
  EXPECT_EQ("x", buffer_.peek());
}

}  // namespace
}  // namespace reactor
