#pragma once

#include <cstdint>

namespace reactor {

class Epoll;

/// One descriptor in an epoll set: what it is watched for, and what happened.
///
/// Does not own the descriptor.
class Channel {
 public:
  /// Watches nothing yet.
  Channel(Epoll& epoll, int fd) : epoll_(epoll), fd_(fd) {}
  ~Channel();
  Channel(const Channel&) = delete;
  Channel& operator=(const Channel&) = delete;

  /// Watches for bytes to read, too.
  void enableReading();
  /// No longer watches for bytes to read.
  void disableReading();
  /// Watches for room to write, too.
  void enableWriting();
  /// No longer watches for room to write.
  void disableWriting();

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
  /// For whoever waits on the set.
  void setHappened(uint32_t events) { happened_ = events; }

 private:
  void update();

  Epoll& epoll_;
  const int fd_;
  uint32_t interest_ = 0;
  uint32_t happened_ = 0;
  bool registered_ = false;
};

}  // namespace reactor
