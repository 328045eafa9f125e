#pragma once

#include <cstdint>
#include <functional>
#include <utility>

namespace reactor {

class EventLoop;

/// One descriptor in an epoll set: what it is watched for, and what happened.
///
/// Does not own the descriptor.
///
/// Calls back, in its loop's thread, which alone uses it. May be removed at any time, also inside
/// its own callbacks, and hears nothing from then on; it must not be destroyed inside them: its
/// owner keeps it until the turn ends (EventLoop::runAtTurnEnd).
class Channel {
 public:
  /// What handleEvents() calls.
  using Callback = std::function<void()>;

  /// Watches nothing yet.
  Channel(EventLoop& loop, int fd) : loop_(loop), fd_(fd) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Something to read, the peer's FIN or an error: read() tells which.
  void setReadCallback(Callback callback) { readCallback_ = std::move(callback); }
  /// There is room to write.
  void setWriteCallback(Callback callback) { writeCallback_ = std::move(callback); }
  /// Both directions are shut (EPOLLHUP) while nobody reads.
  void setCloseCallback(Callback callback) { closeCallback_ = std::move(callback); }
  /// The socket has failed (EPOLLERR) while nobody reads.
  void setErrorCallback(Callback callback) { errorCallback_ = std::move(callback); }

  /// Edge-triggered from the next enable on: a callback must read or write until nothing is left.
  void useEdgeTrigger();

  /// Watches for bytes to read, too.
  void enableReading();
  /// No longer watches for bytes to read.
  void disableReading();
  /// Watches for room to write, too.
  void enableWriting();
  /// No longer watches for room to write.
  void disableWriting();

  /// Asks again: what is ready now is reported next turn, also to an edge-triggered channel.
  void rearm() { update(); }

  /// Takes the descriptor out of the set, if it is in. Enabling puts it in again.
  void remove();

  /// What it is watched for.
  bool isReading() const;
  /// See isReading().
  bool isWriting() const;
  /// Whether it is in the set.
  bool isRegistered() const { return registered_; }
  /// The descriptor.
  int fd() const { return fd_; }

  /// What epoll_wait(2) said when it last named this channel.
  uint32_t happened() const { return happened_; }

  /// Calls the callbacks that `events` is about. For EventLoop.
  void handleEvents(uint32_t events);

 private:
  void update();

  EventLoop& loop_;
  const int fd_;
  uint32_t interest_ = 0;
  uint32_t happened_ = 0;
  bool registered_ = false;
  Callback readCallback_;
  Callback writeCallback_;
  Callback closeCallback_;
  Callback errorCallback_;
};

}  // namespace reactor
