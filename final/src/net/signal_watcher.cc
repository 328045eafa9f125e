#include "net/signal_watcher.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <utility>

#include "net/event_loop.h"
#include "net/socket.h"

namespace reactor {

namespace {

int createSignalFd(std::initializer_list<int> signals, sigset_t& oldMask) {
  sigset_t mask;
  ::sigemptyset(&mask);
  for (const int signal : signals) ::sigaddset(&mask, signal);
  ::pthread_sigmask(SIG_BLOCK, &mask, &oldMask);
  const int fd = ::signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC);
  if (fd < 0) throwErrno("signalfd");
  return fd;
}

}  // namespace

SignalWatcher::SignalWatcher(EventLoop& loop, std::initializer_list<int> signals, Callback callback)
    : fd_(createSignalFd(signals, oldMask_)), channel_(loop, fd_), callback_(std::move(callback)) {
  channel_.setReadCallback([this] { handleRead(); });
  channel_.enableReading();
}

SignalWatcher::~SignalWatcher() {
  channel_.remove();
  ::close(fd_);
  ::pthread_sigmask(SIG_SETMASK, &oldMask_, nullptr);
}

void SignalWatcher::handleRead() {
  signalfd_siginfo info;
  if (::read(fd_, &info, sizeof info) != sizeof info) return;
  callback_(static_cast<int>(info.ssi_signo));
}

}  // namespace reactor
