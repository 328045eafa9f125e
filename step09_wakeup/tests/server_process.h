#pragma once

#include <cstdint>
#include <cstdlib>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "child_process.h"
#include "waiting.h"

namespace reactor::testing {

/// The echo server under test: ECHO_SERVER_PATH, which the build defines, or what the environment
/// variable REACTOR_ECHO_SERVER names, so that these tests can be run against another server.
inline std::string echoServerPath() {
  const char* other = std::getenv("REACTOR_ECHO_SERVER");
  return other != nullptr && *other != '\0' ? other : ECHO_SERVER_PATH;
}

/// A running server. Construction returns once it listens.
class ServerProcess : public ChildProcess {
 public:
  /// Starts `program` and waits for its first line, `listening on ADDRESS:PORT`. Throws
  /// std::runtime_error if another line comes, or the end of the program, or nothing in time.
  ServerProcess(std::string program, std::vector<std::string> arguments,
                std::optional<rlim_t> descriptorLimit = std::nullopt)
      : ChildProcess(std::move(program), std::move(arguments), descriptorLimit) {
    const auto lineIsThere = [this] { return output().find('\n') != std::string::npos; };
    eventually([&] { return lineIsThere() || !running(); });
    constexpr std::string_view kAnnouncement = "listening on ";
    const std::string line = output().substr(0, output().find('\n'));
    const std::size_t colon = line.rfind(':');
    if (!lineIsThere() || line.rfind(kAnnouncement, 0) != 0 || colon == std::string::npos) {
      throw std::runtime_error("the server does not say where it listens: \"" + line + "\", \"" +
                               errors() + "\"");
    }
    address_ = line.substr(kAnnouncement.size(), colon - kAnnouncement.size());
    port_ = static_cast<std::uint16_t>(std::stoul(line.substr(colon + 1)));
  }

  /// The address it has announced, without the port.
  const std::string& address() const { return address_; }

  /// The port it has announced.
  std::uint16_t port() const { return port_; }

 private:
  std::string address_;
  std::uint16_t port_ = 0;
};

/// The echo server under test on a free port, with further `options` if there are any.
class EchoServerProcess : public ServerProcess {
 public:
  explicit EchoServerProcess(std::vector<std::string> options = {},
                             std::optional<rlim_t> descriptorLimit = std::nullopt)
      : ServerProcess(echoServerPath(), portFirst(std::move(options)), descriptorLimit) {}

 private:
  static std::vector<std::string> portFirst(std::vector<std::string> options) {
    options.insert(options.begin(), "0");
    return options;
  }
};

}  // namespace reactor::testing
