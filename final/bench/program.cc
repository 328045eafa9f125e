#include "program.h"

#include <CLI/CLI.hpp>
#include <cstdio>
#include <cstdlib>
#include <exception>

#include "environment.h"

namespace reactor::bench {

namespace {

constexpr int kExitUsage = 2;
constexpr int kExitInterrupted = 130;  // What a shell reports for a program that SIGINT ended.

}  // namespace

int runProgram(CLI::App& app, int argc, char** argv, const std::function<void()>& body) {
  app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
    return failed->get_name() + ": " + error.what() + " (try --help)\n";
  });
  try {
    app.parse(argc, argv);
    body();
    return EXIT_SUCCESS;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? EXIT_SUCCESS : kExitUsage;
  } catch (const Interrupted& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return kExitInterrupted;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", app.get_name().c_str(), error.what());
    return EXIT_FAILURE;
  }
}

int runEchoServer(const char* name, const char* description, int argc, char** argv,
                  const std::function<void(uint16_t port)>& serve) {
  CLI::App app(description, name);
  uint16_t port = 0;
  app.add_option("PORT", port, "Port on 127.0.0.1; 0: any free one")
      ->check(CLI::Range(0, 65535))
      ->capture_default_str();
  return runProgram(app, argc, argv, [&] { serve(port); });
}

void announce(uint16_t port) {
  std::printf("listening on 127.0.0.1:%u\n", unsigned{port});
  std::fflush(stdout);
}

}  // namespace reactor::bench
