#include "child_server.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fstream>
#include <stdexcept>
#include <string_view>
#include <thread>

#include "environment.h"
#include "sockets.h"

namespace reactor::bench {

namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kStartTimeout{10};

FileDescriptor memoryFile() {
  FileDescriptor file(::memfd_create("server output", MFD_CLOEXEC));
  if (!file.valid()) throwErrno("memfd_create");
  return file;
}

// The first line that `file` holds, if it is complete.
std::optional<std::string> firstLine(const FileDescriptor& file) {
  char bytes[256];
  const ssize_t n = ::pread(file.get(), bytes, sizeof bytes, 0);
  const std::string_view text(bytes, n > 0 ? static_cast<size_t>(n) : 0);
  const size_t end = text.find('\n');
  if (end == std::string_view::npos) return std::nullopt;
  return std::string(text.substr(0, end));
}

// From `listening on ADDRESS:PORT`.
std::optional<uint16_t> portFrom(std::string_view line) {
  if (!line.starts_with("listening on ")) return std::nullopt;
  const char* begin = line.data() + line.rfind(':') + 1;
  const char* end = line.data() + line.size();
  uint16_t port = 0;
  const auto [parsed, error] = std::from_chars(begin, end, port);
  if (error != std::errc() || parsed != end) return std::nullopt;
  return port;
}

}  // namespace

ChildServer::ChildServer(const std::vector<std::string>& command, std::optional<int> core)
    : output_(memoryFile()), errors_(memoryFile()) {
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) throwErrno("fork");
  if (pid_ == 0) execute(command, core, parent);
  try {
    port_ = waitForPort();
  } catch (const std::exception& error) {
    killAndReap();
    throw;
  }
}

ChildServer::~ChildServer() { killAndReap(); }

std::chrono::nanoseconds ChildServer::cpuTime() const {
  clockid_t clock{};
  timespec time{};
  if (::clock_getcpuclockid(pid_, &clock) != 0 || ::clock_gettime(clock, &time) < 0) {
    throw std::runtime_error("cannot read the server's CPU time: has it ended?");
  }
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

size_t ChildServer::privateMemory() const {
  // Exact, unlike VmRSS in /proc/PID/status, which lags behind: proc(5).
  std::ifstream file("/proc/" + std::to_string(pid_) + "/smaps_rollup");
  std::string key;
  while (file >> key) {
    size_t kibibytes = 0;
    if (key == "Anonymous:" && file >> kibibytes) return kibibytes * 1024;
  }
  throw std::runtime_error("cannot read the server's memory: has it ended?");
}

// In the child.
void ChildServer::execute(const std::vector<std::string>& command, std::optional<int> core,
                          pid_t parent) const {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(EXIT_FAILURE);  // It died before it could be watched.
  ::dup2(output_.get(), STDOUT_FILENO);
  ::dup2(errors_.get(), STDERR_FILENO);
  ::signal(SIGINT, SIG_DFL);
  ::signal(SIGTERM, SIG_DFL);
  try {
    if (core) pinTo(*core);
    std::vector<char*> arguments;
    for (const std::string& argument : command) {
      arguments.push_back(const_cast<char*>(argument.c_str()));  // execv does not change them.
    }
    arguments.push_back(nullptr);
    ::execv(arguments[0], arguments.data());
    throwErrno("exec");
  } catch (const std::exception& error) {
    ::dprintf(STDERR_FILENO, "%s\n", error.what());
  }
  ::_exit(127);
}

uint16_t ChildServer::waitForPort() {
  const auto deadline = steady_clock::now() + kStartTimeout;
  while (steady_clock::now() < deadline && !hasEnded()) {
    throwIfInterrupted();
    if (const auto line = firstLine(output_)) {
      if (const auto port = portFrom(*line)) return *port;
      throw std::runtime_error("unexpected first line: " + *line);
    }
    std::this_thread::sleep_for(milliseconds(2));
  }
  throw std::runtime_error("did not start: " + firstLine(errors_).value_or("no message"));
}

// Does not reap: the number must not go to another process before we have let go of it.
bool ChildServer::hasEnded() const {
  siginfo_t info{};
  return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) < 0 ||
         info.si_pid != 0;
}

void ChildServer::killAndReap() {
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

}  // namespace reactor::bench
