#pragma once

#include <cstdint>
#include <functional>

namespace CLI {
class App;
}

namespace reactor::bench {

/// main() of every program here: reads the command line, runs `body`, and makes of whatever goes
/// wrong one line on stderr and a non-zero exit status.
int runProgram(CLI::App& app, int argc, char** argv, const std::function<void()>& body);

/// main() of the echo servers, whose only argument is the port.
int runEchoServer(const char* name, const char* description, int argc, char** argv,
                  const std::function<void(uint16_t port)>& serve);

/// The first line of every server: tells those that started it with port 0 where to find it.
void announce(uint16_t port);

}  // namespace reactor::bench
