#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <span>
#include <vector>

#include "net/file_descriptor.h"

namespace reactor {

/// An epoll set: epoll(7). Owns the set's descriptor, none of the descriptors in it.
///
/// Functions throw std::system_error with the name of the system call.
class Epoll {
 public:
  /// The most events that one wait() returns; more are returned by the next.
  static constexpr int kMaxEvents = 1024;

  Epoll();

  /// Watches `fd` for `events`; `data` comes back with each of them.
  void add(int fd, uint32_t events, epoll_data_t data);

  /// Changes what a watched `fd` is watched for. Whatever of it is ready now is reported (again).
  void modify(int fd, uint32_t events, epoll_data_t data);

  /// Stops watching `fd`.
  void remove(int fd);

  /// Sleeps until something is ready, a signal comes (no events then) or `timeout` is over; a
  /// negative one means for ever. The events are valid until the next call.
  std::span<epoll_event> wait(std::chrono::milliseconds timeout);

 private:
  void control(int operation, const char* name, int fd, uint32_t events, epoll_data_t data);

  FileDescriptor fd_;
  std::vector<epoll_event> events_;
};

}  // namespace reactor
