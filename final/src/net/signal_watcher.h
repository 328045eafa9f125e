#pragma once

#include <csignal>
#include <functional>
#include <initializer_list>

#include "net/channel.h"
#include "net/file_descriptor.h"

namespace reactor {

class EventLoop;

/// Signals as events of a loop, through signalfd(2): no handler, so no rule of signal-safety(7).
///
/// Make it before any other thread starts: it blocks the signals in the thread that makes it, and
/// threads inherit that; in a thread that does not block them they would still kill the process.
class SignalWatcher {
 public:
  /// Called for each signal, in the loop.
  using Callback = std::function<void(int signal)>;

  /// Throws std::system_error.
  SignalWatcher(EventLoop& loop, std::initializer_list<int> signals, Callback callback);

  /// The signals do again what they did before.
  ~SignalWatcher();

  SignalWatcher(const SignalWatcher&) = delete;
  SignalWatcher& operator=(const SignalWatcher&) = delete;

 private:
  void handleRead();

  sigset_t oldMask_;
  FileDescriptor fd_;
  Channel channel_;
  Callback callback_;
};

}  // namespace reactor
