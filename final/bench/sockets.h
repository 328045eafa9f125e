#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

#include "file_descriptor.h"

namespace reactor::bench {

/// Throws std::system_error with errno and the name of the system call that failed.
[[noreturn]] void throwErrno(const std::string& systemCall);

/// A non-blocking socket that listens on 127.0.0.1:`port`; 0: a free one.
FileDescriptor listenOnLoopback(uint16_t port);

/// The next client, non-blocking and with TCP_NODELAY; not valid() if there is none.
FileDescriptor acceptClient(const FileDescriptor& listener);

/// The port that `socket` is bound to.
uint16_t portOf(const FileDescriptor& socket);

/// A blocking socket with TCP_NODELAY, connected to 127.0.0.1:`port`. Closing it resets the
/// connection: thousands in TIME_WAIT would keep the next round from its ports.
///
/// `index` counts the connections of one process: every 10,000 of them get a source address of
/// their own (127.0.0.1, 127.0.0.2, …), since one has at most some 28,000 ports to connect from.
FileDescriptor connectToLoopback(uint16_t port, size_t index);

void setNonBlocking(const FileDescriptor& socket);

/// Sends or receives all of `bytes` on a blocking socket; throws std::runtime_error if the peer
/// takes longer than 10 s for it, or closes.
void sendAll(const FileDescriptor& socket, std::span<const char> bytes);
void receiveAll(const FileDescriptor& socket, std::span<char> bytes);

/// What has come on a non-blocking socket, as far as it fits; 0: nothing has. Throws if the peer
/// has closed or the connection has failed.
size_t receiveSome(const FileDescriptor& socket, std::span<char> room);

/// What the bare loops and the load clients wait with: epoll(7) and nothing around it.
/// Level-triggered.
class EpollSet {
 public:
  EpollSet();

  /// `data` comes back in the event.
  void add(const FileDescriptor& fd, uint32_t events, void* data);
  void modify(const FileDescriptor& fd, uint32_t events, void* data);

  /// The events that have happened; none after `timeout`, or when a signal has come.
  std::span<epoll_event> wait(std::chrono::milliseconds timeout);

 private:
  FileDescriptor epoll_;
};

}  // namespace reactor::bench
