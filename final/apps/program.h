#pragma once

#include <CLI/CLI.hpp>
#include <exception>
#include <functional>
#include <iostream>
#include <map>
#include <string>

#include "codec/length_codec.h"

namespace reactor {

/// main() of every program: reads the command line, runs `body`, and makes of whatever goes wrong
/// one line on stderr and a non-zero exit status.
inline int runProgram(CLI::App& app, int argc, char** argv, const std::function<int()>& body) {
  app.failure_message([](const CLI::App* failed, const CLI::Error& error) {
    return failed->get_name() + ": " + error.what() + " (try --help)\n";
  });
  try {
    app.parse(argc, argv);
    return body();
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    std::cerr << app.get_name() << ": " << error.what() << '\n';
    return 1;
  }
}

/// `--checksum none|crc32`.
inline void addChecksumOption(CLI::App& app, Checksum& checksum) {
  static const std::map<std::string, Checksum> names{{"none", Checksum::kNone},
                                                     {"crc32", Checksum::kCrc32}};
  app.add_option("--checksum", checksum, "What follows a payload: none, or its CRC-32")
      ->transform(CLI::CheckedTransformer(names).description("none|crc32"))
      ->default_str(checksum == Checksum::kNone ? "none" : "crc32");
}

}  // namespace reactor
