#pragma once

#include <dirent.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <exception>
#include <fstream>
#include <iostream>
#include <optional>
#include <sstream>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>
#include <vector>

#include "waiting.h"

namespace reactor::testing {

/// A program under test, running: its standard input is a pipe that the test writes to, what it
/// prints is kept for the test to look at, and what it costs is read from /proc.
///
/// Nothing outlives the test. The destructor ends the child and reaps it, also when the test has
/// failed or thrown, and the kernel kills it if the test itself is killed. The destructor also
/// fails the test if the child ended without being asked to, did not end on SIGTERM, or left a
/// sanitizer's report.
///
/// To be created and used in one thread, and not in one that ends before the child shall: the
/// kernel takes the end of the creating thread for the end of the parent (PR_SET_PDEATHSIG).
class ChildProcess {
 public:
  /// Starts `program`, a path, with `arguments`. With `descriptorLimit` the child may open no
  /// more descriptors than that. A program that cannot be run exits with 127, as in a shell.
  explicit ChildProcess(std::string program, std::vector<std::string> arguments = {},
                        std::optional<rlim_t> descriptorLimit = std::nullopt)
      : program_(std::move(program)) {
    std::vector<char*> argv{program_.data()};
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);

    int input[2];
    check(::pipe2(input, O_CLOEXEC), "pipe2");
    inputReadEnd_.reset(input[0]);
    input_.reset(input[1]);
    output_.reset(check(::memfd_create("stdout", MFD_CLOEXEC), "memfd_create"));
    errors_.reset(check(::memfd_create("stderr", MFD_CLOEXEC), "memfd_create"));

    const pid_t parent = ::getpid();
    pid_ = check(::fork(), "fork");
    if (pid_ == 0) runChild(argv.data(), parent, descriptorLimit);
  }

  ~ChildProcess() { finish(); }

  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }

  /// Writes to the child's standard input. What a dead child would have read is lost.
  void write(std::string_view text) {
    while (!text.empty()) {
      const ssize_t n = ::write(input_.get(), text.data(), text.size());
      if (n < 0 && errno == EINTR) continue;
      text.remove_prefix(static_cast<std::size_t>(check(n, "write")));
    }
  }

  /// Ends the child's standard input: it reads end of file.
  void closeInput() { input_.reset(); }

  /// What the child has written to standard output until now.
  std::string output() const { return contents(output_); }

  /// What the child has written to standard error until now.
  std::string errors() const { return contents(errors_); }

  /// Whether the child has not ended yet.
  bool running() {
    if (!status_) reap(WNOHANG);
    return !status_;
  }

  void signal(int number) {
    if (running()) check(::kill(pid_, number), "kill");
    askedToEnd_ = true;
  }

  void terminate() { signal(SIGTERM); }

  /// Waits for the end of the child and returns its exit code, or 128 + n if signal n ended it.
  /// Throws std::runtime_error if it still runs after `patience`.
  int waitForExit(std::chrono::milliseconds patience = kPatience) {
    if (!eventually([this] { return !running(); }, patience)) {
      throw std::runtime_error(program_ + " still runs after " + std::to_string(patience.count()) +
                               " ms");
    }
    askedToEnd_ = true;  // The test sees the exit code: to judge it is the test's business now.
    return exitCode();
  }

  /// How many descriptors the child has open.
  std::size_t openDescriptors() const { return entries("fd").size(); }

  /// The processor time that all threads of the child have used. The kernel counts it in hundredths
  /// of a second.
  std::chrono::milliseconds cpuTime() const {
    std::string stat = readProc("stat");
    stat.erase(0, stat.rfind(')') + 1);  // The name before it may contain anything.
    std::istringstream fields(stat);
    std::string skipped;
    for (int i = 3; i <= 13; ++i) fields >> skipped;
    std::int64_t user = 0;
    std::int64_t system = 0;
    if (!(fields >> user >> system)) throw std::runtime_error("cannot read CPU time: " + stat);
    return std::chrono::milliseconds((user + system) * 1000 / ::sysconf(_SC_CLK_TCK));
  }

  /// The memory that the child has in RAM, in KiB.
  std::int64_t residentKiB() const { return statusField("status", "VmRSS:"); }

  /// How often the child's threads, all together, have been given the processor. A thread that
  /// sleeps in epoll_wait adds nothing.
  std::int64_t contextSwitches() const {
    std::int64_t total = 0;
    for (const std::string& task : entries("task")) {
      total += statusField("task/" + task + "/status", "voluntary_ctxt_switches:");
      total += statusField("task/" + task + "/status", "nonvoluntary_ctxt_switches:");
    }
    return total;
  }

 private:
  class Descriptor {
   public:
    Descriptor() = default;
    ~Descriptor() { reset(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    int get() const { return fd_; }
    void reset(int fd = -1) {
      if (fd_ >= 0) ::close(fd_);
      fd_ = fd;
    }

   private:
    int fd_ = -1;
  };

  template <typename Integer>
  static Integer check(Integer result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
    return result;
  }

  /// The child between fork and exec. Only what is safe there when other threads were running.
  [[noreturn]] void runChild(char** argv, pid_t parent,
                             const std::optional<rlim_t>& descriptorLimit) const {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(127);  // It died before the line above.
    // Whoever started the test may have had SIGPIPE ignored; the program must cope without.
    ::signal(SIGPIPE, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    ::dup2(inputReadEnd_.get(), STDIN_FILENO);
    ::dup2(output_.get(), STDOUT_FILENO);
    ::dup2(errors_.get(), STDERR_FILENO);
    ::close_range(STDERR_FILENO + 1, ~0U, 0);
    if (descriptorLimit) {
      const rlimit limit{*descriptorLimit, *descriptorLimit};
      ::setrlimit(RLIMIT_NOFILE, &limit);
    }
    ::execv(argv[0], argv);
    const char* reason = ::strerrordesc_np(errno);
    for (const char* part :
         {"cannot run ", static_cast<const char*>(argv[0]), ": ", reason, "\n"}) {
      if (::write(STDERR_FILENO, part, std::strlen(part)) < 0) break;
    }
    ::_exit(127);
  }

  void reap(int options) {
    int status = 0;
    pid_t result = 0;
    do {
      result = ::waitpid(pid_, &status, options);
    } while (result < 0 && errno == EINTR);
    if (check(result, "waitpid") == pid_) status_ = status;
  }

  int exitCode() const {
    return WIFSIGNALED(*status_) ? 128 + WTERMSIG(*status_) : WEXITSTATUS(*status_);
  }

  void finish() {
    const bool failed = std::uncaught_exceptions() > 0 || ::testing::Test::HasFailure();
    if (running() && failed) {
      ::kill(pid_, SIGKILL);
      reap(0);
    } else if (running()) {
      ::kill(pid_, SIGTERM);
      const bool ended = eventually([this] { return !running(); });
      if (!ended) {
        ::kill(pid_, SIGKILL);
        reap(0);
      }
      EXPECT_TRUE(ended) << program_ << " did not end on SIGTERM";
      if (ended) {
        EXPECT_TRUE(exitCode() == 0 || exitCode() == 128 + SIGTERM)
            << program_ << " ended on SIGTERM with " << exitCode();
      }
    } else if (!askedToEnd_) {
      ADD_FAILURE() << program_ << " ended by itself, with " << exitCode();
    }
    const std::string said = errors();
    for (const char* report : {"Sanitizer: ", "runtime error: "}) {
      EXPECT_EQ(said.find(report), std::string::npos) << program_ << " left a sanitizer's report";
    }
    if (failed || ::testing::Test::HasFailure()) {
      std::cerr << "--- " << program_ << " printed:\n"
                << output() << "--- and on stderr:\n"
                << said;
    }
  }

  static std::string contents(const Descriptor& file) {
    struct stat information {};
    check(::fstat(file.get(), &information), "fstat");
    std::string text(static_cast<std::size_t>(information.st_size), '\0');
    std::size_t filled = 0;
    while (filled < text.size()) {
      const ssize_t n = ::pread(file.get(), text.data() + filled, text.size() - filled,
                                static_cast<off_t>(filled));
      if (check(n, "pread") == 0) break;
      filled += static_cast<std::size_t>(n);
    }
    text.resize(filled);
    return text;
  }

  std::string procPath(const std::string& name) const {
    return "/proc/" + std::to_string(pid_) + "/" + name;
  }

  std::string readProc(const std::string& name) const {
    std::ifstream file(procPath(name));
    std::ostringstream text;
    text << file.rdbuf();
    if (!file) throw std::runtime_error("cannot read " + procPath(name));
    return text.str();
  }

  std::int64_t statusField(const std::string& file, const std::string& name) const {
    const std::string text = "\n" + readProc(file);
    const std::size_t at = text.find("\n" + name);
    if (at == std::string::npos) throw std::runtime_error("no " + name + " in " + procPath(file));
    return std::stoll(text.substr(at + 1 + name.size()));
  }

  std::vector<std::string> entries(const std::string& directory) const {
    DIR* opened = ::opendir(procPath(directory).c_str());
    if (opened == nullptr) {
      throw std::system_error(errno, std::generic_category(), procPath(directory));
    }
    std::vector<std::string> names;
    while (const dirent* entry = ::readdir(opened)) {
      if (entry->d_name[0] != '.') names.emplace_back(entry->d_name);
    }
    ::closedir(opened);
    return names;
  }

  std::string program_;
  pid_t pid_ = -1;
  std::optional<int> status_;
  bool askedToEnd_ = false;
  Descriptor input_;
  Descriptor inputReadEnd_;  // Kept open here as well, so that to write is never a SIGPIPE.
  Descriptor output_;        // A file, not a pipe: the child never waits for its reader.
  Descriptor errors_;
};

/// Runs `program` with `arguments` that it must refuse, and returns what it says to that: one line
/// on standard error, nothing on standard output, and an exit code that is not 0.
inline std::string refusal(const std::string& program, const std::vector<std::string>& arguments) {
  ChildProcess process(program, arguments);
  const int code = process.waitForExit();
  EXPECT_TRUE(code != 0 && code < 126) << "it exits with " << code;
  EXPECT_EQ(process.output(), "");
  const std::string said = process.errors();
  EXPECT_TRUE(said.size() > 1 && said.find('\n') == said.size() - 1) << "not one line: " << said;
  return said;
}

}  // namespace reactor::testing
