#include "programs.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <sstream>
#include <stdexcept>

namespace reactor::bench {

std::string benchProgram(const std::string& name) {
  return std::filesystem::read_symlink("/proc/self/exe").replace_filename(name);
}

std::vector<Contestant> echoServers() {
  std::vector<Contestant> result;
  for (const char* name :
       {"bare_epoll_echo", "libuv_echo", "libevent_echo", "asio_echo", "reactor_echo"}) {
    result.push_back({name, {benchProgram(name), "0"}});
  }
  result.push_back({"echo_server", {ECHO_SERVER_PATH, "0", "-i", "0"}});
  return result;
}

std::vector<Contestant> stepServers(const std::string& ioThreads) {
  std::vector<Contestant> result;
  std::istringstream paths(STEP_SERVER_PATHS);  // One a line.
  for (std::string path; std::getline(paths, path);) {
    const std::string step = std::filesystem::path(path).parent_path().filename();
    result.push_back({step, {path, "0"}});
    if (step != "step07_buffer")
      result.back().command.insert(result.back().command.end(), {"-i", ioThreads});
  }
  return result;
}

Contestant chatServer(const std::string& name, const std::string& ioThreads,
                      const std::string& broadcast, const std::string& flush) {
  return {name,
          {CHAT_SERVER_PATH, "0", "--checksum", "none", "--io-threads", ioThreads, "--broadcast",
           broadcast, "--flush", flush}};
}

std::vector<Contestant> onlyBuilt(std::vector<Contestant> contestants) {
  std::erase_if(contestants, [](const Contestant& contestant) {
    if (::access(contestant.command.front().c_str(), X_OK) == 0) return false;
    std::fprintf(stderr, "%s is left out: it was not built\n", contestant.name.c_str());
    return true;
  });
  return contestants;
}

std::vector<Contestant> onlyNamed(const std::vector<Contestant>& contestants,
                                  const std::vector<std::string>& names) {
  if (names.empty()) return contestants;
  std::vector<Contestant> result;
  for (const std::string& name : names) {
    const auto found = std::find_if(contestants.begin(), contestants.end(),
                                    [&name](const Contestant& c) { return c.name == name; });
    if (found == contestants.end()) throw std::runtime_error("no server " + name + " here");
    result.push_back(*found);
  }
  return result;
}

}  // namespace reactor::bench
