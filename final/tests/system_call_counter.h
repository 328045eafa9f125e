#pragma once

#include <dirent.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/types.h>
#include <sys/wait.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <future>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace reactor::testing {

/// Counts how often the threads that a process has now make one system call, as strace(1) does:
/// ptrace(2) stops them at each. From construction to stop(), or destruction.
///
/// The process must be a child of this one, which does not wait for it meanwhile: the stops would
/// be taken from the counter.
class SystemCallCounter {
 public:
  /// `call` is one of SYS_sendto and so on. Throws std::system_error where the system forbids to
  /// trace.
  SystemCallCounter(pid_t process, std::uint64_t call) : call_(call) {
    std::promise<void> attached;
    std::future<void> done = attached.get_future();
    thread_ = std::thread([this, process, &attached] {
      try {
        const std::vector<pid_t> threads = attach(process);
        attached.set_value();
        count(threads);
      } catch (...) {
        attached.set_exception(std::current_exception());
      }
    });  // The end of the thread that traces lets go of all that it traces.
    try {
      done.get();
    } catch (...) {
      thread_.join();
      throw;
    }
  }

  ~SystemCallCounter() { stop(); }
  SystemCallCounter(const SystemCallCounter&) = delete;
  SystemCallCounter& operator=(const SystemCallCounter&) = delete;

  /// How many calls were begun until now.
  int stop() {
    stopped_ = true;
    if (thread_.joinable()) thread_.join();
    return calls_;
  }

 private:
  static void check(long result, const char* call) {
    if (result < 0) throw std::system_error(errno, std::generic_category(), call);
  }

  static std::vector<pid_t> attach(pid_t process) {
    const std::string path = "/proc/" + std::to_string(process) + "/task";
    DIR* tasks = ::opendir(path.c_str());
    if (tasks == nullptr) check(-1, "opendir");
    std::vector<pid_t> threads;
    while (const dirent* entry = ::readdir(tasks)) {
      const pid_t thread = std::atoi(entry->d_name);
      if (thread > 0) threads.push_back(thread);  // Else it is `.` or `..`.
    }
    ::closedir(tasks);
    for (const pid_t thread : threads) {
      check(::ptrace(PTRACE_SEIZE, thread, nullptr, PTRACE_O_TRACESYSGOOD), "ptrace(SEIZE)");
      check(::ptrace(PTRACE_INTERRUPT, thread, nullptr, nullptr), "ptrace(INTERRUPT)");
      int status = 0;
      check(::waitpid(thread, &status, __WALL), "waitpid");
      check(::ptrace(PTRACE_SYSCALL, thread, nullptr, nullptr), "ptrace(SYSCALL)");
    }
    return threads;
  }

  void count(const std::vector<pid_t>& threads) {
    constexpr int kSystemCall = SIGTRAP | 0x80;  // PTRACE_O_TRACESYSGOOD.
    while (!stopped_) {
      for (const pid_t thread : threads) {
        int status = 0;
        if (::waitpid(thread, &status, __WALL | WNOHANG) != thread) continue;
        if (!WIFSTOPPED(status)) return;  // It has ended.
        const bool systemCall = WSTOPSIG(status) == kSystemCall;
        if (systemCall) look(thread);
        const bool signal = !systemCall && (status >> 16) == 0;
        ::ptrace(PTRACE_SYSCALL, thread, nullptr, signal ? WSTOPSIG(status) : 0);
      }
    }
  }

  void look(pid_t thread) {
    __ptrace_syscall_info info{};  // glibc's name of it.
    ::ptrace(PTRACE_GET_SYSCALL_INFO, thread, sizeof info, &info);
    if (info.op == PTRACE_SYSCALL_INFO_ENTRY && info.entry.nr == call_) ++calls_;
  }

  const std::uint64_t call_;
  std::atomic<bool> stopped_{false};
  std::atomic<int> calls_{0};
  std::thread thread_;
};

}  // namespace reactor::testing
