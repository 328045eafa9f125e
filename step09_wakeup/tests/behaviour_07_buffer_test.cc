// Messages have edges, and a client that does not read costs the others nothing.

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "framed_client.h"
#include "server_process.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

using namespace std::chrono_literals;

constexpr int kSmallReceiveBuffer = 4096;
constexpr std::size_t kFrameBytes = 32 * 1024;

/// Frame number `i` of a stream, kFrameBytes long and unlike its neighbours.
std::string numberedFrame(std::size_t i) {
  std::string payload = std::to_string(i) + ": ";
  payload.resize(kFrameBytes - 4, static_cast<char>('a' + i % 26));
  return frame(payload);
}

/// Sends numbered frames without reading any answer, until the server takes no more or `limit`
/// bytes are sent. Returns how many bytes that was; the last frame may be incomplete.
std::size_t sendUntilStalled(FramedClient& client, std::size_t limit) {
  std::size_t sent = 0;
  std::string current;
  while (sent < limit && client.writable(300ms)) {
    if (sent % kFrameBytes == 0) current = numberedFrame(sent / kFrameBytes);
    sent += client.sendSome(std::string_view(current).substr(sent % kFrameBytes));
  }
  return sent;
}

/// The server has dealt with everything that was sent before this call, when it has one thread;
/// with more it very likely has.
void letTheServerCatchUp(FramedClient& witness) { ASSERT_EQ(witness.ask("now?"), "now?"); }

TEST(SlowReader, StallsNoOtherAndGetsEverythingWhenItReads) {
  EchoServerProcess server;
  FramedClient slow(server.port(), kSmallReceiveBuffer);
  const std::size_t sent = sendUntilStalled(slow, 64 * 1024 * 1024);

  for (int i = 0; i < 10; ++i) {
    FramedClient other(server.port());
    ASSERT_EQ(other.ask("is anyone stalled?"), "is anyone stalled?");
  }

  const std::size_t complete = sent / kFrameBytes;
  ASSERT_GT(complete, 0U);
  for (std::size_t i = 0; i < complete; ++i) {
    ASSERT_TRUE(slow.receive(kFrameBytes) == numberedFrame(i)) << "frame " << i;
  }
}

TEST(NeverReader, CostsBoundedMemoryAndNobodyElsesTime) {
  constexpr std::size_t kLimit = 128 * 1024 * 1024;
  EchoServerProcess server;
  FramedClient other(server.port());
  ASSERT_EQ(other.ask("hello"), "hello");
  const std::int64_t before = server.residentKiB();

  FramedClient neverReads(server.port(), kSmallReceiveBuffer);
  EXPECT_LT(sendUntilStalled(neverReads, kLimit), kLimit) << "it is read without end";
  EXPECT_LT(server.residentKiB() - before, kSanitized ? 80 * 1024 : 16 * 1024);
  EXPECT_EQ(other.ask("still there?"), "still there?");
}

TEST(HalfClose, GetsEveryWholeFrameAndThenEndOfFile) {
  EchoServerProcess server;
  FramedClient client(server.port(), kSmallReceiveBuffer);
  std::size_t sent = sendUntilStalled(client, 64 * 1024 * 1024);
  if (sent % kFrameBytes == 0) sent += client.sendSome(numberedFrame(0).substr(0, 9));
  client.shutdownWrite();
  const std::string answer = client.receiveUntilEof();
  ASSERT_EQ(answer.size(), sent - sent % kFrameBytes);
  for (std::size_t i = 0; i < sent / kFrameBytes; ++i) {
    ASSERT_TRUE(answer.compare(i * kFrameBytes, kFrameBytes, numberedFrame(i)) == 0)
        << "frame " << i;
  }
}

TEST(LyingLength, EndsThatConnectionAlone) {
  EchoServerProcess server;
  FramedClient other(server.port());
  ASSERT_EQ(other.ask("hello"), "hello");
  for (const std::uint32_t length : {0U, 65537U, 0x7fffffffU, 0x80000000U, 0xffffffffU}) {
    SCOPED_TRACE(length);
    FramedClient liar(server.port());
    ASSERT_EQ(liar.ask("the truth"), "the truth");
    liar.send(bigEndian(length) + "and something after it");
    ASSERT_TRUE(liar.isCutOff());
    EXPECT_EQ(other.ask("still there?"), "still there?");
  }
}

TEST(Frame, IsAnsweredOnceItIsWholeWhereverItIsSplit) {
  EchoServerProcess server;
  FramedClient witness(server.port());
  FramedClient client(server.port());
  const std::string whole = frame("split me");
  for (std::size_t split = 1; split < whole.size(); ++split) {
    client.send(std::string_view(whole).substr(0, split));
    letTheServerCatchUp(witness);
    ASSERT_FALSE(client.readable()) << "answered after " << split << " bytes";
    client.send(std::string_view(whole).substr(split));
    ASSERT_EQ(client.receiveMessage(), "split me");
  }
}

TEST(Frame, IsAnsweredByItselfWhenGluedToOthers) {
  EchoServerProcess server;
  FramedClient witness(server.port());
  FramedClient client(server.port());
  const std::string third = frame("three");
  client.send(frame("one") + frame("two") + third.substr(0, 6));
  EXPECT_EQ(client.receiveMessage(), "one");
  EXPECT_EQ(client.receiveMessage(), "two");
  letTheServerCatchUp(witness);
  EXPECT_FALSE(client.readable()) << "answered before it was whole";
  client.send(third.substr(6));
  EXPECT_EQ(client.receiveMessage(), "three");
}

}  // namespace
}  // namespace reactor::testing
