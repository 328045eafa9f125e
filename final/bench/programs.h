#pragma once

#include <string>
#include <vector>

namespace reactor::bench {

/// A server program that takes part in a benchmark.
struct Contestant {
  std::string name;
  std::vector<std::string> command;  ///< Path and arguments.
};

/// Where a server of this folder is: beside the program that runs.
std::string benchProgram(const std::string& name);

/// The servers that an echo client can talk to: the bare loop, the peers, and ours, once with bytes
/// and once with frames.
std::vector<Contestant> echoServers();

/// The echo servers of steps 07 to 10, if they were built with this, and of final; from step 08 on
/// with `ioThreads` I/O threads.
std::vector<Contestant> stepServers(const std::string& ioThreads);

/// Our chat server, as it speaks with muduo's clients.
Contestant chatServer(const std::string& name, const std::string& ioThreads,
                      const std::string& broadcast, const std::string& flush);

/// Takes out those that were not built and says so, a line each, on stderr.
std::vector<Contestant> onlyBuilt(std::vector<Contestant> contestants);

/// Those that are named in `names`; all if that is empty. Throws std::runtime_error if there is
/// none of that name.
std::vector<Contestant> onlyNamed(const std::vector<Contestant>& contestants,
                                  const std::vector<std::string>& names);

}  // namespace reactor::bench
