#include "net/signal_watcher.h"

#include <pthread.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "net/event_loop.h"
#include "net/socket.h"

namespace reactor {

namespace {

FileDescriptor createSignalFd(std::initializer_list<int> signals, sigset_t& oldMask) {
  sigset_t mask;
  ::sigemptyset(&mask);
  for (const int signal : signals) ::sigaddset(&mask, signal);
  ::pthread_sigmask(SIG_BLOCK, &mask, &oldMask);
  FileDescriptor fd(::signalfd(-1, &mask, SFD_NONBLOCK | SFD_CLOEXEC));
  if (fd.get() < 0) {
    const int error = errno;
    ::pthread_sigmask(SIG_SETMASK, &oldMask, nullptr);
    errno = error;
    throwErrno("signalfd");
  }
  return fd;
}

}  // namespace

SignalWatcher::SignalWatcher(EventLoop& loop, std::initializer_list<int> signals, Callback callback)
    : fd_(createSignalFd(signals, oldMask_)),
      channel_(loop, fd_.get()),
      callback_(std::move(callback)) {
  channel_.setReadCallback([this] { handleRead(); });
  channel_.enableReading();
}

SignalWatcher::~SignalWatcher() { ::pthread_sigmask(SIG_SETMASK, &oldMask_, nullptr); }

void SignalWatcher::handleRead() {
  signalfd_siginfo info;
  if (::read(fd_.get(), &info, sizeof info) != sizeof info) return;
  callback_(static_cast<int>(info.ssi_signo));
}

}  // namespace reactor
