// Sends each line of standard input to an echo server, as one message, and prints the answer.
//
// usage: echo_client [HOST] [PORT]

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstring>
#include <iostream>
#include <stdexcept>
#include <string>

namespace {

constexpr size_t kMaxMessage = 64 * 1024;

std::runtime_error failure(const std::string& what) {
  return std::runtime_error(what + ": " + std::strerror(errno));
}

// getaddrinfo(3) would cut a larger number down to 16 bits.
void checkPort(const std::string& port) {
  const bool isNumber = !port.empty() && port.size() <= 5 &&
                        port.find_first_not_of("0123456789") == std::string::npos;
  if (!isNumber || std::stoul(port) > UINT16_MAX) {
    throw std::runtime_error("not a port: '" + port + "' (expected 0 to 65535)");
  }
}

// A socket that is connected to the first address of `host` that answers.
int connectTo(const std::string& host, const std::string& port) {
  checkPort(port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* addresses = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), port.c_str(), &hints, &addresses)) {
    throw std::runtime_error("no such address: " + host + " port " + port + " (" +
                             ::gai_strerror(error) + ")");
  }
  int fd = -1;
  for (const addrinfo* a = addresses; a != nullptr && fd < 0; a = a->ai_next) {
    fd = ::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol);
    if (fd >= 0 && ::connect(fd, a->ai_addr, a->ai_addrlen) < 0) {
      const int error = errno;
      ::close(fd);
      fd = -1;
      errno = error;
    }
  }
  ::freeaddrinfo(addresses);
  if (fd < 0) throw failure("cannot connect to " + host + " port " + port);
  return fd;
}

void sendAll(int fd, const std::string& bytes) {
  for (size_t sent = 0; sent < bytes.size();) {
    const ssize_t n = ::send(fd, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
    if (n >= 0) {
      sent += static_cast<size_t>(n);
    } else if (errno != EINTR) {
      throw failure("send");
    }
  }
}

void receiveAll(int fd, char* bytes, size_t size) {
  for (size_t received = 0; received < size;) {
    const ssize_t n = ::recv(fd, bytes + received, size - received, 0);
    if (n > 0) {
      received += static_cast<size_t>(n);
    } else if (n == 0) {
      throw std::runtime_error("the server has closed the connection");
    } else if (errno != EINTR) {
      throw failure("recv");
    }
  }
}

// A message is its length, 4 bytes, big-endian, and its bytes.
void sendMessage(int fd, const std::string& message) {
  const uint32_t length = htonl(static_cast<uint32_t>(message.size()));
  sendAll(fd, std::string(reinterpret_cast<const char*>(&length), sizeof length) + message);
}

std::string receiveMessage(int fd) {
  uint32_t length = 0;
  receiveAll(fd, reinterpret_cast<char*>(&length), sizeof length);
  length = ntohl(length);
  if (length > kMaxMessage) throw std::runtime_error("the server announces too long a message");
  std::string message(length, '\0');
  receiveAll(fd, message.data(), message.size());
  return message;
}

void echoLines(int fd) {
  for (std::string line; std::getline(std::cin, line);) {
    if (line.empty()) continue;  // No message is empty.
    if (line.size() > kMaxMessage) throw std::runtime_error("a line is longer than 64 KiB");
    sendMessage(fd, line);
    std::cout << receiveMessage(fd) << std::endl;
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 3 || (argc > 1 && argv[1][0] == '-')) {
    std::cerr << "usage: echo_client [HOST] [PORT]\n";
    return 2;
  }
  try {
    const int fd = connectTo(argc > 1 ? argv[1] : "127.0.0.1", argc > 2 ? argv[2] : "9877");
    echoLines(fd);
    ::close(fd);
  } catch (const std::exception& error) {
    std::cerr << "echo_client: " << error.what() << '\n';
    return 1;
  }
}
