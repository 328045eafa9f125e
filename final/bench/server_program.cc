#include "server_program.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>

namespace reactor::bench {

uint16_t portArgument(int argc, char** argv, const char* description) {
  CLI::App app(description);
  uint16_t port = 0;
  app.add_option("PORT", port, "Port on 127.0.0.1; 0 takes a free one")->capture_default_str();
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    std::exit(app.exit(error));
  }
  return port;
}

void announce(uint16_t port) {
  std::printf("listening on 127.0.0.1:%u\n", unsigned{port});
  std::fflush(stdout);
}

}  // namespace reactor::bench
