#pragma once

#include <cstdint>

namespace reactor::bench {

/// The port that an echo server is to listen on: its only argument, 0 if there is none. Exits with
/// a message if the arguments are something else, or ask for help.
uint16_t portArgument(int argc, char** argv, const char* description);

/// The first line of every server: tells those that started it with port 0 where to find it.
void announce(uint16_t port);

}  // namespace reactor::bench
