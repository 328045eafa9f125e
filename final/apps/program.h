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

/// An option whose value is one of the keys of `names`.
template <typename Value>
void addChoice(CLI::App& app, const std::string& option, Value& value,
               const std::map<std::string, Value>& names, const std::string& description) {
  std::string current;
  for (const auto& [name, meaning] : names) {
    if (meaning == value) current = name;
  }
  app.add_option_function<std::string>(
         option, [&value, names](const std::string& name) { value = names.at(name); }, description)
      ->check(CLI::IsMember(names))
      ->default_str(current);
}

inline void addChecksumOption(CLI::App& app, Checksum& checksum) {
  addChoice(app, "--checksum", checksum, {{"none", Checksum::kNone}, {"crc32", Checksum::kCrc32}},
            "What follows a payload: none, or its CRC-32");
}

}  // namespace reactor
