#pragma once

#include <utility>

namespace reactor {

/// Owns a descriptor and closes it, once. Movable, not copyable; one that has been moved from, or
/// holds a negative number, owns none.
class FileDescriptor {
 public:
  FileDescriptor() = default;

  /// Takes over `fd`, which nobody else may close from now on.
  explicit FileDescriptor(int fd) noexcept : fd_(fd) {}
  /// `other` has none then.
  FileDescriptor(FileDescriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  /// Closes what it had.
  FileDescriptor& operator=(FileDescriptor&& other) noexcept;
  ~FileDescriptor();

  /// -1 if there is none.
  int get() const { return fd_; }

 private:
  int fd_ = -1;
};

}  // namespace reactor
