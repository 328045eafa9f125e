#include "net/file_descriptor.h"

#include <unistd.h>

namespace reactor {

FileDescriptor& FileDescriptor::operator=(FileDescriptor&& other) noexcept {
  std::swap(fd_, other.fd_);  // `other` closes what was ours when it dies.
  return *this;
}

FileDescriptor::~FileDescriptor() {
  if (fd_ >= 0) ::close(fd_);
}

}  // namespace reactor
