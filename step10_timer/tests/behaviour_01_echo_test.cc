// What every echo server of the course does, from the first one on.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <string_view>

#include "child_process.h"
#include "framed_client.h"
#include "server_process.h"
#include "waiting.h"

namespace reactor::testing {
namespace {

std::string randomBytes(std::size_t count) {
  std::mt19937 generator(20240601);
  std::uniform_int_distribution<int> byte(0, 255);
  std::string bytes(count, '\0');
  for (char& c : bytes) c = static_cast<char>(byte(generator));
  return bytes;
}

TEST(Echo, AnswersOneMessage) {
  EchoServerProcess server;
  FramedClient client(server.port());
  EXPECT_EQ(client.ask("hello"), "hello");
}

TEST(Echo, AnswersManyMessagesInOrder) {
  EchoServerProcess server;
  FramedClient client(server.port());
  for (int i = 0; i < 1000; ++i) {
    const std::string message = "message " + std::to_string(i);
    ASSERT_EQ(client.ask(message), message);
  }
}

TEST(Echo, AnswersAMessageThatComesInSmallWrites) {
  EchoServerProcess server;
  FramedClient client(server.port());
  for (const char byte : frame("byte by byte")) client.send({&byte, 1});
  EXPECT_EQ(client.receiveMessage(), "byte by byte");
}

TEST(Echo, ReturnsAMebibyteByteForByte) {
  EchoServerProcess server;
  FramedClient client(server.port());
  const std::string payloads = randomBytes(1024 * 1024);
  constexpr std::size_t kSizes[] = {65536, 1, 4096, 65535, 4093, 17};
  std::string frames;
  std::size_t at = 0;
  for (std::size_t i = 0; at < payloads.size(); ++i) {
    const std::string_view payload =
        std::string_view(payloads).substr(at, kSizes[i % std::size(kSizes)]);
    frames += frame(payload);
    at += payload.size();
  }
  EXPECT_TRUE(client.exchange(frames) == frames);  // Not EXPECT_EQ, which would print it all.
}

TEST(Echo, ServesTheNextClientWhenOneLeaves) {
  EchoServerProcess server;
  for (int i = 0; i < 20; ++i) {
    const std::string message = "client " + std::to_string(i);
    FramedClient client(server.port());
    ASSERT_EQ(client.ask(message), message);
  }
}

TEST(Echo, SurvivesAbruptResets) {
  EchoServerProcess server;
  for (int i = 0; i < 20; ++i) {
    FramedClient inMidMessage(server.port());
    inMidMessage.send(frame("never complete").substr(0, 9));
    inMidMessage.reset();

    FramedClient withItsReplyUnread(server.port());
    withItsReplyUnread.sendMessage(std::string(60'000, 'x'));
    withItsReplyUnread.reset();

    // With end of file before it, a reset makes the server's next send fail with EPIPE, and
    // SIGPIPE kills the server that has not provided for it.
    FramedClient afterItsEndOfFile(server.port());
    afterItsEndOfFile.sendMessage(std::string(60'000, 'x'));
    afterItsEndOfFile.shutdownWrite();
    afterItsEndOfFile.reset();
  }
  FramedClient client(server.port());
  EXPECT_EQ(client.ask("still there?"), "still there?");
}

TEST(Echo, LeaksNoDescriptor) {
  EchoServerProcess server;
  std::size_t withOneClient = 0;
  {
    FramedClient client(server.port());
    ASSERT_EQ(client.ask("the first"), "the first");
    withOneClient = server.openDescriptors();
  }
  for (int i = 0; i < 300; ++i) {
    FramedClient client(server.port());
    if (i % 3 == 0) continue;  // Leaves without a word.
    ASSERT_EQ(client.ask("hello"), "hello");
    if (i % 3 == 1) client.reset();
  }
  FramedClient client(server.port());
  ASSERT_EQ(client.ask("the last"), "the last");
  EXPECT_TRUE(eventually([&] { return server.openDescriptors() == withOneClient; }))
      << server.openDescriptors() << " descriptors are open, not " << withOneClient;
}

TEST(EchoCommandLine, RefusesABadPort) {
  for (const char* port : {"nonsense", "", " ", "80x", "65536", "-1", "99999999999999999999"}) {
    SCOPED_TRACE(port);
    refusal(echoServerPath(), {port});
  }
}

TEST(EchoCommandLine, RefusesFurtherArguments) { refusal(echoServerPath(), {"0", "0"}); }

TEST(EchoCommandLine, RefusesABusyPort) {
  EchoServerProcess server;
  const std::string port = std::to_string(server.port());
  const std::string said = refusal(echoServerPath(), {port});
  EXPECT_NE(said.find("Address already in use"), std::string::npos) << said;

  FramedClient client(server.port());
  EXPECT_EQ(client.ask("not disturbed"), "not disturbed");
}

}  // namespace
}  // namespace reactor::testing
