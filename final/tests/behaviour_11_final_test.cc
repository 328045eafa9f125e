// What the echo server of final has beyond that of step 10.

#include <gtest/gtest.h>
#include <sys/syscall.h>

#include <cstdint>
#include <optional>
#include <string>
#include <system_error>

#include "checked_client.h"
#include "framed_client.h"
#include "server_process.h"
#include "system_call_counter.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

class ChecksumServer : public ::testing::Test {
 protected:
  /// `bytes`, after a good frame, end the connection, and `reason` is logged.
  void expectCutOff(const std::string& bytes, const std::string& reason) {
    CheckedClient offender(server_.port());
    ASSERT_EQ(offender.ask("good"), "good");
    offender.send(bytes);
    ASSERT_TRUE(offender.isCutOff());
    EXPECT_TRUE(eventually([&] { return server_.errors().find(reason) != std::string::npos; }))
        << "the log does not say \"" << reason << '"';
    EXPECT_EQ(other_.ask("still there?"), "still there?");
  }

  EchoServerProcess server_{{"-c"}};
  CheckedClient other_{server_.port()};
};

TEST_F(ChecksumServer, EchoesFramesWhoseChecksumIsRight) {
  for (const std::size_t size : {1U, 2U, 1000U, 65536U}) {
    const std::string payload(size, 'x');
    EXPECT_TRUE(other_.ask(payload) == payload) << size << " bytes";
  }
}

TEST_F(ChecksumServer, CutsOffAWrongChecksum) {
  std::string bytes = checkedFrame("some payload");
  bytes.back() = static_cast<char>(bytes.back() ^ 1);
  expectCutOff(bytes, "checksum");
}

TEST_F(ChecksumServer, CutsOffAChangedPayload) {
  std::string bytes = checkedFrame("some payload");
  bytes[6] = static_cast<char>(bytes[6] ^ 1);
  expectCutOff(bytes, "checksum");
}

TEST_F(ChecksumServer, CutsOffALyingLength) { expectCutOff(bigEndian(0xffffffff), "length"); }

TEST_F(ChecksumServer, AnswersAFrameWhereverItIsSplit) {
  const std::string whole = checkedFrame("split me");
  CheckedClient client(server_.port());
  for (std::size_t split = 1; split < whole.size(); ++split) {
    client.send(whole.substr(0, split));
    ASSERT_EQ(other_.ask("now?"), "now?");
    client.send(whole.substr(split));
    ASSERT_EQ(client.receiveMessage(), "split me");
  }
}

TEST(OneWriteATurn, CarriesTheAnswersToAHundredFrames) {
  EchoServerProcess server;
  FramedClient client(server.port());
  ASSERT_EQ(client.ask("hello"), "hello");
  std::optional<SystemCallCounter> sends;
  try {
    sends.emplace(server.pid(), SYS_sendto);  // send(3) is sendto(2).
  } catch (const std::system_error& error) {
    GTEST_SKIP() << error.what();
  }
  std::string frames;
  for (int i = 0; i < 100; ++i) frames += frame("number " + std::to_string(i));
  client.send(frames);
  EXPECT_EQ(client.receive(frames.size()), frames);
  const int count = sends->stop();
  EXPECT_GE(count, 1) << "none was seen";
  EXPECT_LE(count, 3) << "a turn may see only some of the frames";
}

}  // namespace
}  // namespace reactor::testing
