// What every echo client of the course does.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "child_process.h"
#include "server_process.h"

namespace reactor::testing {
namespace {

TEST(EchoClient, PrintsTheAnswerToEachLine) {
  EchoServerProcess server;
  ChildProcess client(ECHO_CLIENT_PATH, {"127.0.0.1", std::to_string(server.port())});
  client.write("hello\nburn 1\n\nlast without end of line");
  client.closeInput();
  EXPECT_EQ(client.waitForExit(), 0);
  EXPECT_EQ(client.output(), "hello\nburn 1\nlast without end of line\n");
}

TEST(EchoClient, RefusesWhatItCannotUseInOneLine) {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"127.0.0.1", "1"},        // Nobody listens there.
                                             {"127.0.0.1", "65536"},    // No port,
                                             {"127.0.0.1", "12x"},      // nor this.
                                             {"no-such-host.invalid"},  // No host.
                                             {"--nonsense"},            // No option.
                                             {"a", "1", "too many"}}) {
    SCOPED_TRACE(::testing::PrintToString(arguments));
    refusal(ECHO_CLIENT_PATH, arguments);
  }
}

}  // namespace
}  // namespace reactor::testing
